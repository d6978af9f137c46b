"""skiff fit from outside the program: what fits, by parts that add up, and what is refused."""
import json
import os
import pathlib
import subprocess
import unittest

HOME = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SKIFF_BINARY", HOME / "build/release/skiff"))
LLAMA = 8_030_261_248


def fit(*words):
    done = subprocess.run([str(PROGRAM), "fit", *words], env={**os.environ, "SKIFF_HOME": str(HOME)}, capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def plans(*words):
    code, said, problems = fit(*words, "--json")
    if (code, problems) != (0, ""):
        raise AssertionError(problems)
    return json.loads(said)


@unittest.skipUnless(PROGRAM.exists(), f"no program at {PROGRAM}")
class FitTest(unittest.TestCase):
    def test_parts_add_up_and_fewer_bits_take_less(self):
        found = plans("--model", "llama-3-8b", "--device", "pixel-8-pro")
        self.assertEqual([p["plan"] for p in found], ["fp32", "fp16", "8 bits", "4 bits", "3 bits", "2 bits"])
        self.assertEqual(found[0]["memory"]["weights"], 4 * LLAMA)
        self.assertEqual(found[1]["memory"]["weights"], 2 * LLAMA)
        for one in found:
            self.assertEqual(one["total"], sum(one["memory"].values()))
            self.assertEqual(one["fits"], one["total"] <= one["limit"])
            self.assertGreater(one["tokens_per_second"], 0)
        totals = [p["total"] for p in found]
        self.assertEqual(totals, sorted(totals, reverse=True))
        # 6.98 G weights of linear layers at 4 bits and 1.05 G in fp16, scales of groups of 1024.
        self.assertAlmostEqual(found[3]["memory"]["weights"] / 1e9, 5.60, delta=0.02)

    def test_every_part_is_named_and_the_rest_is_the_systems(self):
        for words in ((), ("--train",)):
            for one in plans("--model", "llama-3-8b", "--device", "iphone-15-pro", *words):
                self.assertEqual(list(one["memory"]), ["weights", "masks", "scales", "low-rank", "gradients", "optimizer", "activations",
                                                       "logits", "key-values", "scratch", "runtime"])
                self.assertTrue(all(bytes >= 0 for bytes in one["memory"].values()))
                self.assertEqual(one["limit"] + one["system"], 2**33)
        codes = plans("--model", "llama-3-8b", "--device", "iphone-15-pro")[3]["memory"]
        self.assertEqual(codes["scales"], 2 * 6_979_321_856 // 1024)
        self.assertEqual(codes["logits"], 4 * 128 * 128_256)
        self.assertEqual(codes["key-values"], 128 * 2 * 131_072)
        bar = fit("--model", "llama-3-8b", "--device", "iphone-15-pro")[1].splitlines()[-3].strip()
        self.assertEqual(len(bar.split("| ")[0].replace("|", "")), 60)
        self.assertAlmostEqual(bar.split("| ")[0].count("#"), 30, delta=4)  # half of the RAM

    def test_a_budget_and_the_background_leave_less(self):
        whole = plans("--model", "tinyllama-1.1b", "--device", "iphone-15-pro")[0]["limit"]
        background = plans("--model", "tinyllama-1.1b", "--device", "iphone-15-pro", "--memory", "background")[0]["limit"]
        self.assertLess(background, whole)
        self.assertEqual(plans("--model", "tinyllama-1.1b", "--device", "iphone-15-pro", "--budget", "2GB")[0]["limit"], 2e9)
        code, said, _ = fit("--model", "llama-3-8b", "--device", "iphone-15-pro", "--budget", "2 GB")
        self.assertEqual(code, 0)
        self.assertRegex(said, r"nothing fits; the least, 2 bits, lacks 2\.\d GB: it needs 4\.\d GB")

    def test_training_takes_gradients_and_state(self):
        found = {p["plan"]: p["memory"] for p in plans("--model", "mobilellm-125m", "--device", "iphone-15-pro", "--train")}
        adamw, eight = found["all weights, adamw"], found["all weights, adam-8bit"]
        self.assertEqual(adamw["gradients"], adamw["weights"])
        self.assertAlmostEqual(adamw["optimizer"], 2 * adamw["weights"], delta=1e4)  # and a count a tensor
        self.assertLess(eight["optimizer"], 0.3 * adamw["optimizer"])
        self.assertLess(found["all weights, adamw, checkpointing"]["activations"], adamw["activations"])
        factors = found["lora rank 8 on 4 bits, adamw"]
        self.assertGreater(factors["low-rank"], 0)
        self.assertLess(factors["weights"], adamw["weights"] / 4)

    def test_all_says_a_plan_for_every_pair(self):
        rows = plans("--all")
        self.assertEqual(len(rows), len({(r["model"], r["device"]) for r in rows}))
        said = {(r["model"], r["device"]): r["plan"] for r in rows}
        self.assertIsNone(said["llama-3-8b", "mcu-esp32s3"])
        self.assertEqual(said["llama-3-8b", "pixel-8-pro"], "4 bits")
        self.assertEqual(said["gboard-cifg", "android-go"], "fp32")
        self.assertEqual(fit("--all")[0], 0)

    def test_mistakes_are_told(self):
        for words, part in ((("--model", "lama-3-8b", "--device", "iphone-15-pro"), "did you mean"),
                            (("--model", "llama-3-8b", "--device", "iphone"), "unknown class"),
                            (("--model", "llama-3-8b"), "on which --device"),
                            (("--model", "llama-3-8b", "--device", "iphone-15-pro", "--budget", "2"), "--budget"),
                            (("--model", "llama-3-8b", "--device", "iphone-15-pro", "--train", "--infer"), "--train or --infer"),
                            (("--model", "llama-3-8b", "--device", "iphone-15-pro", "--tokens", "100000"), "at most 8192"),
                            (("--all", "--model", "llama-3-8b"), "leave --model"),
                            (("--model", "llama-3-8b", "--device", "iphone-15-pro", "--memory", "all"), "foreground or background")):
            with self.subTest(words):
                code, _, problems = fit(*words)
                self.assertEqual(code, 2)
                self.assertIn(part, problems)


if __name__ == "__main__":
    unittest.main()
