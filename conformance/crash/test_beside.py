"""Commands beside a server under load whose workers come, go and die: none takes what the others do for damage."""

from __future__ import annotations

from pathlib import Path

from conformance.crash.beside import Beside
from conformance.crash.rounds import Torture

SHORT = ("user create somebody", "doctor", "backup {backup}")


def test_commands_beside_a_server_that_is_renewed_and_killed(tmp_path: Path) -> None:
    beside = Beside(Torture(tmp_path / "data", seed=3))
    beside.go_on(killing=True, commands=SHORT)
    assert beside.commands == len(SHORT)
    assert beside.renewals > 0
    assert beside.kills > 0
