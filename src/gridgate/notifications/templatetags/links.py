from django import template

from gridgate.notifications.links import link_to

register = template.Library()
register.simple_tag(link_to, name="link")
