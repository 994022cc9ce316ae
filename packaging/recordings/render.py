"""Makes an animated SVG of a recorded terminal: text, shown and hidden by CSS, without a script."""

import codecs
import re
from html import escape

import pyte

LINE, CELL, SIZE, MARGIN = 18, 8.43, 14, 16  # pixels; a cell of most monospaced fonts is 0.6 of the size
PAUSE = 2  # seconds that a wait is shown at most
HOLD = 5  # seconds that the end stands
STEP = 0.06  # seconds between two pictures at least

STYLE = """\
svg{--g:#1a7f37;--r:#c2252f;--y:#8a6100;--c:#0b6f84;--f:#5d6670;--t:#1f2328;--b:#fbfbfa;--e:#d0d7de}
@media(prefers-color-scheme:dark){svg{--g:#57c66b;--r:#ff7b72;--y:#e3c04a;--c:#56d4dd;--f:#9aa4af;--t:#e6edf3;--b:#16191d;--e:#3a424b}}
text{font:%dpx ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace;fill:var(--t);white-space:pre}
.b{font-weight:700}.f{fill:var(--f)}.g{fill:var(--g)}.r{fill:var(--r)}.y{fill:var(--y)}.c{fill:var(--c)}
.h{visibility:hidden}
g,text{animation-duration:%.2fs;animation-timing-function:step-end;animation-iteration-count:infinite}
@media(prefers-reduced-motion:reduce){g,text{animation:none!important}}
"""


def render(events, title, columns, rows, longest=400):
    """The SVG of a recording: its last picture, and when what else was there."""
    pictures = shorten(play(events, columns, longest))
    end = pictures[-1][0] + HOLD
    spans = intervals(pictures)
    height = min(rows, max(row for row, _ in spans) + 1)
    animations = Animations(end)
    texts = [text(row, runs, animations.shown(times, end)) for (row, runs), times in sorted(spans.items(), key=lambda span: (span[0][0], span[1]))]
    scroll = animations.scrolled(pictures, height)
    wide, high = round(columns * CELL + 2 * MARGIN), height * LINE + 2 * MARGIN
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img">',
        f"<title>{escape(title)}</title>",
        "<style>" + STYLE % (SIZE, end) + "\n".join(animations.rules) + "</style>",
        f'<rect x=".5" y=".5" width="{wide - 1}" height="{high - 1}" rx="8" fill="var(--b)" stroke="var(--e)"/>',
        f'<svg x="{MARGIN}" y="{MARGIN}" width="{wide - 2 * MARGIN}" height="{height * LINE}"><g {scroll}>',
        *texts,
        "</g></svg>",
        "</svg>",
        "",
    ])


def play(events, columns, longest):
    """Pictures of the screen, as (seconds, rows); it is so long that nothing leaves it at the top."""
    screen = pyte.Screen(columns, longest)
    stream, decoder = pyte.Stream(screen), codecs.getincrementaldecoder("utf-8")()
    rows, pictures = {}, []
    for at, (seconds, data) in enumerate(events):
        stream.feed(decoder.decode(data).replace("\x1b[2m", "\x1b[30m"))  # pyte knows no faint text: as black, which is grey here
        if at + 1 < len(events) and events[at + 1][0] - seconds < STEP / 2:
            continue
        for row in screen.dirty:
            rows[row] = runs(screen.buffer[row], columns)
        screen.dirty.clear()
        pictures.append((seconds, {row: line for row, line in rows.items() if line}))
    return pictures


def runs(cells, columns):
    """A row as (column, style, text), a part for each style; blanks at its end are left out."""
    parts = []
    for column in range(columns):
        cell = cells[column]
        if not cell.data.strip() and (not parts or parts[-1][2].endswith("  ")):
            continue
        style = styled(cell)
        if parts and (parts[-1][1] == style or not cell.data.strip()) and parts[-1][0] + len(parts[-1][2]) == column:
            parts[-1][2] += cell.data
        elif cell.data.strip():
            parts.append([column, style, cell.data])
    return tuple((column, style, text.rstrip()) for column, style, text in parts)


def styled(cell):
    colours = {"green": "g", "brightgreen": "g", "red": "r", "brightred": "r", "brown": "y", "brightbrown": "y", "yellow": "y", "cyan": "c", "brightcyan": "c", "default": "", "white": ""}
    colour = colours.get(cell.fg, "f")  # black, and the greys of the 256
    return " ".join(filter(None, [colour, "b" if cell.bold else ""]))


def shorten(pictures):
    """The same with waits cut: a picture that differs only in what counts seconds or turns waits on."""
    kept, now, before, waits, last = [], 0.0, None, 0.0, pictures[0][0]
    for seconds, rows in pictures:
        still = re.sub(r"[\d.⠀-⣿|/\\-]+ ?", "", repr(sorted(rows.items())))
        passed, last = min(seconds - last, PAUSE), seconds
        waits = waits + passed if still == before else passed
        before = still
        if waits > PAUSE:
            if kept:
                kept[-1] = (kept[-1][0], rows)  # what it has come to
            continue
        now += passed
        kept.append((now, rows))
    return kept


def intervals(pictures):
    """When each row was there as it was: (row, runs) → [(from, to)…]; to is None at the end."""
    spans, there = {}, {}
    for seconds, rows in pictures:
        for row, line in list(there.items()):
            if rows.get(row) != line:
                start, _ = spans[row, line][-1]
                spans[row, line][-1] = (start, seconds)
                del there[row]
        for row, line in rows.items():
            if row not in there:
                spans.setdefault((row, line), []).append((seconds, None))
                there[row] = line
    return spans


class Animations:
    """Rules of CSS, each written once."""

    def __init__(self, end):
        self.end, self.rules, self.names = end, [], {}

    def named(self, frames):
        if frames not in self.names:
            name = f"k{len(self.names)}"
            self.names[frames] = name
            self.rules.append(f"@keyframes {name}{{{frames}}}.{name}{{animation-name:{name}}}")
        return self.names[frames]

    def percent(self, seconds):
        return f"{100 * seconds / self.end:.2f}%".replace(".00%", "%")

    def shown(self, times, end):
        """The attribute of what is there at these times; without animation, of what is there at the end."""
        frames = ["0%{visibility:hidden}"] if times[0][0] > 0 else []
        for start, stop in times:
            frames.append(self.percent(start) + "{visibility:visible}")
            if stop is not None:
                frames.append(self.percent(stop) + "{visibility:hidden}")
        frames.append("100%{visibility:" + ("visible}" if times[-1][1] is None else "hidden}"))
        hidden = "" if times[-1][1] is None else "h "
        return f'class="{hidden}{self.named("".join(frames))}"'

    def scrolled(self, pictures, height):
        """The attributes of what holds all rows: it goes up where they are more than are seen."""
        frames, top = ["0%{transform:translateY(0)}"], 0
        for seconds, rows in pictures:
            if max(rows, default=0) - height + 1 > top:
                top = max(rows) - height + 1
                frames.append(f"{self.percent(seconds)}{{transform:translateY({-top * LINE}px)}}")
        if not top:
            return ""
        frames.append(f"100%{{transform:translateY({-top * LINE}px)}}")
        return f'class="{self.named("".join(frames))}" style="transform:translateY({-top * LINE}px)"'


def text(row, parts, attributes):
    def part(column, style, words):
        return f'<tspan x="{round(column * CELL, 1):g}"' + (f' class="{style}"' if style else "") + f">{escape(words, quote=False)}</tspan>"

    return f'<text y="{row * LINE + SIZE}" {attributes}>' + "".join(part(*each) for each in parts) + "</text>"
