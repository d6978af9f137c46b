"""skiff compress and eval from outside the program: what is written is what was measured, cut or coded, alone or together."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

HOME = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SKIFF_BINARY", HOME / "build/release/skiff"))
DATA = pathlib.Path(os.environ.get("SKIFF_DATA", "/nowhere"))
MODEL = DATA / "llama2c/stories260K.safetensors"
TEXT = ["--tokenizer", DATA / "llama2c/tok512.bin", "--first", "--sequence-length", "128"]
CALIBRATION = ["--calibration", DATA / "text/tinystories_train_head_2MiB.txt", "--samples", "4"]


def skiff(*words):
    done = subprocess.run([str(PROGRAM), *map(str, words)], env={**os.environ, "SKIFF_HOME": str(HOME)},
                          capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout, done.stderr


@unittest.skipUnless(PROGRAM.exists(), f"no program at {PROGRAM}")
@unittest.skipUnless(MODEL.exists(), "no llama2c in $SKIFF_DATA")
class CompressTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        stories = (DATA / "llama2c/eval_tinystories_100.txt").read_text(encoding="utf-8").split("<|endoftext|>")
        self.data = self.folder / "stories.txt"
        self.data.write_text("<|endoftext|>".join(stories[:6]), encoding="utf-8")

    def compressed(self, *words):
        """What compress reports; eval of what it wrote must say the same."""
        out = self.folder / "out"
        code, said, problems = skiff("compress", MODEL, *words, "-o", out, "--data", self.data, *TEXT, "--json")
        self.assertEqual((code, problems), (0, ""))
        report = json.loads(said)
        code, said, problems = skiff("eval", out, "--data", self.data, *TEXT, "--json")
        self.assertEqual((code, problems), (0, ""))
        found = json.loads(said)
        self.assertAlmostEqual(found["loss"], report["loss"], delta=1e-12)
        self.assertGreater(found["cpu_seconds"], 0)
        return report

    def stored_bytes(self):
        raw = (self.folder / "out/model.safetensors").read_bytes()
        header = json.loads(raw[8:8 + int.from_bytes(raw[:8], "little")])
        return sum(end - begin for name, one in header.items() if name != "__metadata__" for begin, end in [one["data_offsets"]])

    def test_channels_that_were_cut_out_stay_out_of_the_file(self):
        report = self.compressed("--pruning", "magnitude, sparsity=50%, structure=channel")
        self.assertLess(report["bytes"], report["bytes_before"])
        self.assertEqual(self.stored_bytes(), report["bytes"])
        down = next(layer for layer in report["layers"] if "layers.0.mlp.down_proj" in layer["layer"])
        self.assertEqual((down["rows"], down["cols"]), (64, 86))
        self.assertGreater(down["error"], 0)
        self.assertLess(down["error"], 0.5)  # the smaller half

    def test_cut_then_quantized(self):
        alone = self.compressed("--pruning", "magnitude, sparsity=50%, structure=channel")
        both = self.compressed("--pruning", "magnitude, sparsity=50%, structure=channel", "--quantization", "higgs, bits=8")
        self.assertEqual(self.stored_bytes(), both["bytes"])
        self.assertLess(both["bytes"], alone["bytes"])
        self.assertAlmostEqual(both["loss"], alone["loss"], delta=0.01)

    def test_thinned_then_quantized(self):
        alone = self.compressed("--pruning", "wanda, sparsity=50%, structure=unstructured", *CALIBRATION)
        both = self.compressed("--pruning", "wanda, sparsity=50%, structure=unstructured", "--quantization", "rtn, bits=8, group=32",
                               *CALIBRATION)
        self.assertEqual(self.stored_bytes(), both["bytes"])
        self.assertLess(both["bytes"], 0.7 * alone["bytes"])
        self.assertAlmostEqual(both["loss"], alone["loss"], delta=0.02)

    def test_heads_too(self):
        report = self.compressed("--pruning", "magnitude, sparsity=25%, structure=channel-and-head, head_width=8")
        self.assertEqual(self.stored_bytes(), report["bytes"])

    def test_a_quantizer_for_each_of_two_kinds_of_layers(self):
        report = self.compressed("--quantization", "rtn, bits=8, targets=[q_proj]", "--quantization",
                                 "rtn, bits=3, targets=[down_proj]", "--predict", *CALIBRATION)
        bits = {layer["layer"].split(".")[-2]: round(layer["bits"]) for layer in report["layers"]}
        self.assertEqual(bits, {"q_proj": 8, "down_proj": 4})  # and half a bit of scales
        predicted = report["loss_before"] + sum(layer["slope"] * layer["error"] for layer in report["layers"])
        self.assertAlmostEqual(report["loss_predicted"], predicted, delta=1e-9)

    def test_a_key_that_nothing_reads_is_refused(self):
        for words, key in (("magnitude, sparsity=50%, structure=channel, head_width=8", "head_width"),
                           ("symmetric-wanda, sparsity=50%, structure=unstructured, alpha=1", "alpha"),
                           ("symmetric-wanda, sparsity=50%, structure=unstructured, relative=grow", "relative"),
                           ("thanos, sparsity=50%, structure=channel, block_size=64", "block_size"),
                           ("bonsai, sparsity=50%, structure=channel, sub_models=0, sampling=pooled", "sampling")):
            with self.subTest(words):
                code, _, problems = skiff("compress", MODEL, "--pruning", words, "-o", self.folder / "out")
                self.assertEqual(code, 2)
                self.assertIn(key, problems)
                self.assertIn("leave it out", problems)


if __name__ == "__main__":
    unittest.main()
