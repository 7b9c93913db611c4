"""How forms are drawn: `{{ form.prm.as_field_group }}` or `{% field form.prm %}` gives label, hint, control
and error, tied together.
"""

from datetime import date
from typing import Any

from django import forms
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, HiddenInput, RadioSelect
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext as _

from gridgate.core.text import address, visible
from gridgate.core.time import FIRST_DAY, LAST_DAY
from gridgate.portal.kit import formats


class PortalField(BoundField):
    """Gives text controls, dates, files and lists their class; ticks and radio buttons have their own
    drawing.
    """

    def build_widget_attrs(self, attrs: dict[str, Any], widget: Any = None) -> dict[str, Any]:
        built = super().build_widget_attrs(attrs, widget)
        drawn = widget or self.field.widget
        if not isinstance(drawn, (CheckboxInput, CheckboxSelectMultiple, RadioSelect, HiddenInput)):
            classes = f"{built.get('class', drawn.attrs.get('class', ''))} input".strip()
            built["class"] = classes
        return built

    @property
    def is_tick(self) -> bool:
        """A single tick box: its label stands after it."""
        return isinstance(self.field.widget, CheckboxInput)

    @property
    def is_choices(self) -> bool:
        """Radio buttons or several tick boxes: each choice is a surface to press."""
        return isinstance(self.field.widget, (RadioSelect, CheckboxSelectMultiple))


class LineField(forms.CharField):
    """One line: a name, a code, what is looked for. Characters that nobody sees, such as those that come along with a
    copy, are left out before anything is checked.
    """

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return visible(text).strip() if isinstance(text, str) else text


class AddressField(forms.EmailField):
    """An e-mail address, in its one spelling."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return address(text) if isinstance(text, str) else text


class DayField(forms.DateField):
    """A civil day within what may be asked for, or within less."""

    def __init__(self, **more: Any) -> None:
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **more)
        self.limit(FIRST_DAY, LAST_DAY)

    def limit(self, first: date, last: date) -> None:
        self._first, self._last = first, last
        self.widget.attrs.update(min=first.isoformat(), max=last.isoformat())

    @property
    def limits(self) -> str:
        """The sentence that says them."""
        said = {"first": formats.long_day(self._first), "last": formats.long_day(self._last)}
        return _("Choisissez un jour du %(first)s au %(last)s.") % said

    def validate(self, value: Any) -> None:
        super().validate(value)
        if isinstance(value, date) and not self._first <= value <= self._last:
            raise forms.ValidationError(self.limits)


class PortalRenderer(TemplatesSetting):
    """Django's renderer with the portal's field and error list."""

    bound_field_class = PortalField
    field_template_name = "components/field.html"
    form_template_name = "components/form.html"
