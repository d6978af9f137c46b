"""The files of this repository, for the habits tests and lint."""
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP = {".h", ".cpp"}


def git(*arguments):
    run = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "-C", ROOT, *arguments],
        check=True, capture_output=True, text=True)
    return run.stdout.splitlines()


def tracked():
    """Paths relative to the root of all files under version control that are there."""
    try:
        names = git("ls-files")
    except (OSError, subprocess.CalledProcessError):  # a copy without history
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")]
        names = [n for n in names if n.split("/")[0] not in ("build", "results", ".git")]
    return sorted(pathlib.PurePath(n) for n in names if (ROOT / n).is_file())


def changed():
    """The tracked files that differ from the last commit, and new ones that are not ignored."""
    names = git("diff", "--name-only", "HEAD")
    names += git("ls-files", "--others", "--exclude-standard")
    return sorted({pathlib.PurePath(n) for n in names if (ROOT / n).is_file()})


def cpp(paths):
    return [p for p in paths if p.suffix in CPP]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def find_tool(name):
    """clang-format 14 by either of its names; other versions format differently."""
    return shutil.which(f"{name}-14")
