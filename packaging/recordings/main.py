"""Makes the recordings of docs/images: see make, beside it.

    main.py PROJECT HOST IMAGES [SCENE...]
"""

import subprocess
import sys
from pathlib import Path

from record import COLUMNS, record
from render import render
from scenes import scenes

ROWS = 26  # that are seen at once


def main():
    project, host, images, *wanted = sys.argv[1:]
    for name, scene in scenes(host).items():
        if wanted and name not in wanted:
            continue
        for line in scene.before:
            subprocess.run(line, shell=True, cwd=project, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        picture = render(record(project, {}, scene.lines), scene.title, COLUMNS, ROWS)
        Path(images, name + ".svg").write_text(picture)
        print(f"{name}.svg: {len(picture) // 1024} KB")


main()
