#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Makes a picture of a terminal's screen: text with colours on standard input, SVG on output.

    tmux capture-pane -e -p -t SESSION | tools/screen_svg.py > docs/live.svg
"""

import html
import re
import sys

CELL_WIDTH, LINE_HEIGHT, FONT_SIZE, MARGIN = 8.4, 18, 14, 10
BACKGROUND, FOREGROUND = "#1c1c1c", "#d8d8d8"
COLOURS = ["#3a3a3a", "#ef6b6b", "#7fc36a", "#e3c04f", "#6c9fe6", "#c58fd8", "#5fc2c2", "#d8d8d8"]
SGR = re.compile(r"\x1b\[([0-9;]*)m")


class Style:
    def __init__(self):
        self.colour, self.bold, self.dim, self.reverse = None, False, False, False

    def apply(self, codes):
        for code in [int(code or 0) for code in codes.split(";")]:
            if code == 0:
                self.__init__()
            elif code == 1:
                self.bold = True
            elif code == 2:
                self.dim = True
            elif code == 7:
                self.reverse = True
            elif code == 22:
                self.bold = self.dim = False
            elif code == 27:
                self.reverse = False
            elif 30 <= code <= 37:
                self.colour = COLOURS[code - 30]
            elif code == 39:
                self.colour = None
            elif 90 <= code <= 97:
                self.colour = COLOURS[code - 90]


def runs(line, style):
    """Text of one style each: (column, text), as the style stands then."""
    column, at = 0, 0
    for match in [*SGR.finditer(line), None]:
        text = line[at : match.start() if match else len(line)]
        if text:
            yield column, text
            column += len(text)
        if match:
            style.apply(match.group(1))
            at = match.end()


def draw_run(row, column, text, style):
    x, y = MARGIN + column * CELL_WIDTH, MARGIN + row * LINE_HEIGHT
    width = len(text) * CELL_WIDTH
    colour = style.colour or FOREGROUND
    if style.reverse:
        yield '<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>' % (
            *(x, y, width, LINE_HEIGHT),
            colour,
        )
        colour = BACKGROUND
    if text.strip():
        yield '<text x="%.1f" y="%d" textLength="%.1f" fill="%s"%s%s>%s</text>' % (
            *(x, y + FONT_SIZE, width, colour),
            ' font-weight="bold"' if style.bold else "",
            ' opacity="0.6"' if style.dim else "",
            html.escape(text),
        )


def main():
    lines = sys.stdin.read().rstrip("\n").split("\n")
    columns = max(len(SGR.sub("", line)) for line in lines)
    size = (2 * MARGIN + columns * CELL_WIDTH, 2 * MARGIN + len(lines) * LINE_HEIGHT)
    print('<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f"' % size)
    print(' font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="%d"' % FONT_SIZE)
    print(' xml:space="preserve">')
    print('<rect width="100%%" height="100%%" rx="6" fill="%s"/>' % BACKGROUND)
    style = Style()
    for row, line in enumerate(lines):
        for column, text in runs(line, style):
            for element in draw_run(row, column, text, style):
                print(element)
    print("</svg>")


if __name__ == "__main__":
    main()
