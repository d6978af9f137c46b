"""The worked example runs, and prints what its numbers say."""
import pathlib
import runpy

from sweep_runs import write_sweep

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"


def test_compare_methods(tmp_path, capsys):
    main = runpy.run_path(str(EXAMPLES / "compare_methods.py"))["main"]
    main([str(write_sweep(tmp_path / "sweep")), "-o", str(tmp_path / "out")])
    said = capsys.readouterr().out
    # differences 0.2, 0.3, 0.1: t = 0.2 sqrt(3) / 0.1 = 3.46, p = 1 - t / sqrt(2 + t^2) = 0.074
    assert "final: fast - slow = 0.2 ± 0.25 (n = 3, p = 0.074 after Holm): no difference shown" in said
    assert len(list((tmp_path / "out").glob("*.svg"))) == 3
