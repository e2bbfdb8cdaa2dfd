# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs on a terminal of their own, in tmux: what stands on the screen, and keys.

Nothing is typed on speculation. A program that starts flushes what was typed before, and one that
ends flushes what was typed meanwhile: a key is sent only when the screen shows that the program
waits for it, and its effect is waited for before the next one.
"""

import os
import shlex
import subprocess
import time

TIMEOUT_S = 60


class Terminal:
    """Runs a shell command line; "with" ends it and all that it started."""

    number = 0

    def __init__(self, line, columns=80, rows=24, shell="/bin/sh", **environment):
        Terminal.number += 1
        self.server = "gilwatch-test-%d-%d" % (os.getpid(), Terminal.number)
        settings = {"LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "SHELL": "/bin/sh", **environment}
        words = ["env"] + ["-u%s" % name for name, value in settings.items() if value is None]
        words += ["%s=%s" % pair for pair in settings.items() if pair[1] is not None]
        words += [shell, "-c", line]
        size = ["-x", str(columns), "-y", str(rows)]
        command = " ".join(map(shlex.quote, words))
        # tmux itself needs a locale that has UTF-8, whatever the program has.
        self.environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        self.tmux("-f", "/dev/null", "new-session", "-d", *size, "exec " + command)

    def tmux(self, *arguments):
        done = subprocess.run(
            ["tmux", "-u", "-L", self.server, *arguments],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            env=self.environment,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def lines(self):
        return self.screen().split("\n")

    def ask(self, what):
        return self.tmux("display-message", "-p", "#{%s}" % what).strip()

    def keys(self, *names):
        self.tmux("send-keys", *names)

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def wait_for(self, wanted):
        """Until the screen has a text, or fits a function of it; the screen.

        It may be looked at while it is drawn: what must hold of it belongs into the function, and
        one that finds nothing to look at (ValueError, IndexError) is asked again.
        """
        end = time.monotonic() + TIMEOUT_S

        def fits(screen):
            try:
                return wanted(screen) if callable(wanted) else wanted in screen
            except (ValueError, IndexError):
                return False

        while True:
            screen = self.screen()
            if fits(screen):
                return screen
            assert time.monotonic() < end, "%s does not come; the screen is:\n%s" % (wanted, screen)
            time.sleep(0.03)

    def press(self, key, wanted):
        """A key, and what the screen must show then."""
        self.keys(key)
        return self.wait_for(wanted)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")
