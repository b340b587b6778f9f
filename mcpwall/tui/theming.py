"""An app in one of the themes of `tui.theme`: which one, from before its first style on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from mcpwall.tui.theme import DARK, THEMES, Palette, palette

if TYPE_CHECKING:
    from textual.theme import Theme


class Themed(App[None], inherit_bindings=False):
    """`palette` are the styles of the theme in force."""

    palette: Palette

    def begin_with(self, name: str) -> None:
        """Have a theme's colours before any style is read; `_use` reads all of them anew."""
        for theme in THEMES.values():
            self.register_theme(theme)
        theme = THEMES.get(name, DARK)
        self.set_reactive(App.theme, theme.name)
        self.set_class(theme.dark, "-dark-mode", update=False)
        self.set_class(not theme.dark, "-light-mode", update=False)
        self.stylesheet.set_variables(self.get_css_variables())
        self.palette = palette(theme)

    def _use(self, theme: Theme) -> None:
        self.theme = theme.name
        self.palette = palette(theme)

    def use_next(self) -> str:
        """Take the next theme; gives its name."""
        names = list(THEMES)
        at = [theme.name for theme in THEMES.values()].index(self.theme)
        name = names[(at + 1) % len(names)]
        self._use(THEMES[name])
        return name
