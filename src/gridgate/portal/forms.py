"""How forms are drawn: `{{ form.prm.as_field_group }}` or `{% field form.prm %}` gives label, hint, control
and error, tied together.
"""

from typing import Any

from django import forms
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, HiddenInput, RadioSelect
from django.forms.renderers import TemplatesSetting

from gridgate.core.text import address, visible


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


class PortalRenderer(TemplatesSetting):
    """Django's renderer with the portal's field and error list."""

    bound_field_class = PortalField
    field_template_name = "components/field.html"
    form_template_name = "components/form.html"
