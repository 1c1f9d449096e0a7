#!/usr/bin/env python3
"""The database key in a real desktop keyring: GNOME's, on a D-Bus session of its own.

Starts WhatsApp in a box, links wa-cli to it, puts the key into the keyring and takes it out again.
Nothing of the desktop on which it runs is touched. Needs dbus-run-session and
gnome-keyring-daemon, and wa-cli built with the feature keyring.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve()
BINARIES = pathlib.Path(
    os.environ.get("CARGO_TARGET_DIR", HERE.parents[2] / "target")
) / os.environ.get("PROFILE", "debug")
PHONE = "447700900101"


def main():
    if "WA_KEYRING_SESSION" not in os.environ:
        return in_own_session()
    with tempfile.TemporaryDirectory() as folder:
        unlock(os.environ["WA_KEYRING_PASSWORD"])
        sim = Sim()
        try:
            exercise(Machine(pathlib.Path(folder), sim), sim)
        finally:
            sim.stop()
    print("keyring: passed")


def in_own_session():
    """Runs this again on a bus and with folders that nobody else has."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "XDG_DATA_HOME": f"{home}/data",
            "XDG_RUNTIME_DIR": home,
            "CARGO_TARGET_DIR": str(BINARIES.parent),
            "PROFILE": BINARIES.name,
            "WA_KEYRING_SESSION": "1",
            "WA_KEYRING_PASSWORD": "the keyring's own password",
        }
        os.chmod(home, 0o700)
        command = ["dbus-run-session", "--", sys.executable, str(HERE)]
        sys.exit(subprocess.run(command, env=environment, timeout=300).returncode)


def unlock(password):
    """Starts the daemon with an unlocked login keyring; it ends with the bus."""
    command = ["gnome-keyring-daemon", "--unlock", "--daemonize", "--components=secrets"]
    subprocess.run(command, input=password.encode(), check=True, stdout=subprocess.DEVNULL)


class Sim:
    """WhatsApp in a box."""

    def __init__(self):
        self.process = subprocess.Popen(
            [BINARIES / "wa-sim", "serve", "--seed", "1"], stdout=subprocess.PIPE, text=True
        )
        self.ready = json.loads(self.process.stdout.readline())

    def post(self, path, body):
        request = urllib.request.Request(
            self.ready["control_url"].rstrip("/") + path,
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        return json.load(urllib.request.urlopen(request, timeout=30))

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Machine:
    """Where wa-cli keeps its things."""

    def __init__(self, folder, sim):
        self.config = folder / "config"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(self.config),
            "XDG_DATA_HOME": str(folder / "data"),
            "DBUS_SESSION_BUS_ADDRESS": os.environ["DBUS_SESSION_BUS_ADDRESS"],
            "WA_SERVER_URL": sim.ready["ws_url"],
            "WA_NOISE_ROOT": sim.ready["noise_root"],
        }

    def start(self, *arguments, **more):
        environment = self.environment | more
        pipe = subprocess.PIPE
        command = [BINARIES / "wa-cli", *arguments]
        return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, *arguments, **more):
        process = self.start(*arguments, **more)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr

    def succeed(self, *arguments):
        code, stdout, stderr = self.run(*arguments)
        assert code == 0, (arguments, stdout, stderr)
        return stdout

    def link(self, sim):
        sim.post("/accounts", {"phone": PHONE, "name": "Anna"})
        process = self.start("link", "--qr-format", "text")
        sim.post(f"/accounts/{PHONE}/link", {"qr": process.stdout.readline().strip()})
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, (stdout, stderr)


def exercise(machine, sim):
    machine.link(sim)
    key_file = machine.config / "wa/default.key"
    key = key_file.read_text()

    assert "the desktop's keyring" in machine.succeed("key", "keyring")
    assert not key_file.exists(), "the key is in one place alone"
    for path in machine.config.rglob("*"):
        if path.is_file():
            assert key.strip() not in path.read_text(errors="replace"), path
    assert "linked" in machine.succeed("doctor"), "the account opens by the keyring"
    machine.succeed("status")

    # Without the bus it is said what is missing, and no new key is made.
    code, _, stderr = machine.run("status", DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent")
    assert code == 1 and "keyring" in stderr, (code, stderr)
    assert not key_file.exists()
    machine.succeed("status")

    machine.succeed("key", "file")
    assert key_file.read_text() == key
    entry = machine.config / "wa/default.keyring"
    assert not entry.exists()
    # Nothing is left of it in the keyring either.
    entry.write_text("default 0000000000000000\n")
    code, _, stderr = machine.run("key", "file")
    assert code == 1 and re.search("keyring", stderr), (code, stderr)


if __name__ == "__main__":
    main()
