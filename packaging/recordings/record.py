"""Records a terminal: types lines into a shell that runs in one, answers what is asked, and keeps what came with its times."""

import fcntl
import os
import pty
import select
import struct
import termios
import time

COLUMNS, ROWS = 80, 50
READY = b"\x1b]2;ready\x07"  # the shell's prompt says it, as a window's title, which is not shown
LONGEST = 300  # seconds that a command may take
READING = 2  # seconds between what is there to read and the next key


class Terminal:
    """A shell in a terminal. What it wrote is in events, as (seconds, bytes)."""

    def __init__(self, folder, environment):
        self.events = []
        self.began = time.monotonic()
        self.process, self.master = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            shell = dict(os.environ, **environment, TERM="xterm-256color", PAGER="cat", PS1="$ ", PROMPT_COMMAND=r"printf '\e]2;ready\a'")
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"], shell)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def wait(self, wanted, since, quiet=0.3):
        """Reads until wanted came behind the event since, and then until nothing came for a moment."""
        until, found = time.monotonic() + LONGEST, False
        while time.monotonic() < until:
            if not select.select([self.master], [], [], quiet)[0]:
                if found:
                    return
                continue
            data = os.read(self.master, 65536)
            self.events.append((time.monotonic() - self.began, data))
            found = found or wanted in b"".join(data for _, data in self.events[since:])
        raise TimeoutError(f"{wanted!r} did not come in {LONGEST} s")

    def type(self, text):
        for letter in text:
            os.write(self.master, letter.encode())
            time.sleep(0.035)
            while select.select([self.master], [], [], 0)[0]:
                self.events.append((time.monotonic() - self.began, os.read(self.master, 65536)))

    def run(self, line, answers):
        """Types a line, and each answer when its question is there."""
        self.type(line)
        for question, answer in [*answers, (None, None)]:
            since = len(self.events)
            os.write(self.master, b"\n")
            self.wait(question.encode() if question else READY, since, quiet=0.8 if question else 0.3)
            if answer:
                time.sleep(READING)
                self.type(answer)

    def close(self):
        os.write(self.master, b"exit\n")
        os.waitpid(self.process, 0)
        os.close(self.master)


def record(folder, environment, lines):
    """The events of a terminal in which lines, each with its answers, are typed."""
    terminal = Terminal(folder, environment)
    terminal.wait(READY, 0)
    for line, answers in lines:
        terminal.run(line, answers)
        time.sleep(READING)
    events = list(terminal.events)
    terminal.close()
    return events
