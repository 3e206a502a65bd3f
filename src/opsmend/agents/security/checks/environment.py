"""Environment variables that can make a program run something else than it is."""

import re
from typing import Final

from opsmend.agents.security.scene import Scene
from opsmend.domain.actions.patch_workload import PatchWorkload
from opsmend.domain.verdict import SecurityFinding, Severity

LOADERS: Final = frozenset(
    {
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "LD_AUDIT",
        "PATH",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PYTHONHOME",
        "NODE_OPTIONS",
        "NODE_PATH",
        "JAVA_TOOL_OPTIONS",
        "_JAVA_OPTIONS",
        "JDK_JAVA_OPTIONS",
        "PERL5OPT",
        "PERL5LIB",
        "RUBYOPT",
        "RUBYLIB",
        "BASH_ENV",
        "ENV",
        "PROMPT_COMMAND",
        "GIT_SSH_COMMAND",
        "GCONV_PATH",
        "PHP_INI_SCAN_DIR",
        "DOTNET_STARTUP_HOOKS",
    }
)
"""Variables by which loaders, interpreters and shells take in further code."""

_SHELL: Final = re.compile(r"\$\(|`|;\s*\w|\|\s*\w|&&|\|\||>\s*/|\n")
"""What a shell would act on if the program hands the value to one."""


def check(scene: Scene) -> list[SecurityFinding]:
    findings = []
    for step in scene.plan.steps:
        if not isinstance(step.action, PatchWorkload):
            continue
        for change in step.action.env:
            if change.value is not None and change.name.upper() in LOADERS:
                text = f"step {step.id} would set {change.name}, by which a program loads other code"
                findings.append(SecurityFinding(check="environment", severity=Severity.BLOCK, text=text))
            if change.value is not None and _SHELL.search(change.value):
                text = f"step {step.id} would set {change.name} to what a shell would run as a command"
                findings.append(SecurityFinding(check="environment", severity=Severity.BLOCK, text=text))
    return findings
