import os
from pathlib import Path

import pytest

from tomking.app import kernels


def test_compiled_kernels_are_kept_by_the_source_they_came_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("platformdirs")
    monkeypatch.delenv(kernels.VARIABLE)
    kernels.keep_compiled_kernels()
    assert Path(os.environ[kernels.VARIABLE]).name == kernels.source_digest()


def test_a_place_the_user_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kernels.VARIABLE, "elsewhere")
    kernels.keep_compiled_kernels()
    assert os.environ[kernels.VARIABLE] == "elsewhere"
