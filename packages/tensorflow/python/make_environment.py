"""Makes the trainer's virtual environment: make_environment.py TARGET LOCK STAMP_TEXT

Several processes may run this at once: the kernel's file lock lets one work and the others wait, and is released when
its holder dies. The stamp is written last, so an environment without one is half made and is made anew.
"""

import fcntl
import pathlib
import shutil
import subprocess
import sys
import venv


def say(line: str) -> None:
    print(line, flush=True)


def build(target: pathlib.Path, lock: pathlib.Path) -> int:
    venv.create(target, with_pip=True, symlinks=True)
    command = [target / "bin" / "python", "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "-r", lock]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pip:
        for line in pip.stdout:
            if line.lstrip().startswith("Installing") or " MB)" in line:
                say("  " + line.strip()[:100])
    return pip.returncode


def main() -> int:
    target, lock, stamp_text = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    stamp = target / "stamp"
    guard_path = target.parent / ".cache" / (target.name + ".lock")
    guard_path.parent.mkdir(parents=True, exist_ok=True)
    with open(guard_path, "w") as guard:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another process that is making the Python environment")
            fcntl.flock(guard, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == stamp_text:
            return 0
        if target.exists():
            say("Removing the Python environment that was there: it is incomplete or of another version")
            shutil.rmtree(target)
        say(f"Making a Python environment in {target}")
        code = build(target, lock)
        if code == 0:
            part = target / "stamp.part"
            part.write_text(stamp_text)
            part.rename(stamp)
            say("The Python environment is ready")
        return code


if __name__ == "__main__":
    sys.exit(main())
