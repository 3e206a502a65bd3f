"""kubectl, as the lab and the drills use it: the command that anybody would type."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from lab.errors import LabError

Json = dict[str, Any]


@dataclass(frozen=True)
class Kube:
    """Speaks with the rights of `kubeconfig`. Every method raises LabError with what kubectl said."""

    kubeconfig: Path

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """`kubectl …`; what it printed."""
        done = self.attempt(*arguments, stdin=stdin)
        if done.returncode:
            raise LabError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()[-800:]}")
        return done.stdout

    def attempt(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """The same, for what may fail."""
        argv = [str(Path(sys.executable).with_name("kubectl")), f"--kubeconfig={self.kubeconfig}", *arguments]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=120)

    def get(self, *arguments: str) -> Json:
        """`kubectl get … -o json`."""
        found: Json = json.loads(self.run("get", *arguments, "--output=json"))
        return found

    def apply(self, manifest: Path, *, namespace: str = "", **values: object) -> None:
        """A file, `$NAME` in it replaced by `values`; with `namespace`, what names none goes there."""
        text = Template(manifest.read_text()).substitute(values) if values else manifest.read_text()
        place = [f"--namespace={namespace}"] if namespace else []
        self.run("apply", *place, "--filename=-", stdin=text)
