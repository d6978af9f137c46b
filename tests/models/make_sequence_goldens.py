"""Writes sequence_goldens.txt: losses, logits and gradients of small transformers and of a CIFG-LSTM.

An independent implementation: numpy in double precision, explicit formulas token by token or in
whole matrices, no code shared with skiff; gradients are central differences of it (of fourth
order: their error is below 1e-10). Weights, token ids, images and labels come from the generators
of tests/models (class Numbers, class Texts, class Shard), so the file holds only results. Weights
are drawn in the order of the flat parameter array, times 0.5, and 1 is added to those of norms.

usage: python3 make_sequence_goldens.py > sequence_goldens.txt
"""
import math
import numpy as np

from make_goldens import Numbers


def texts(kind, vocabulary, length, count, classes, seed):
    """As class Texts: inputs, targets (-1: not asked) and labels."""
    numbers = Numbers(seed)
    inputs = np.zeros((count, length), int)
    targets = np.full((count, length), -1)
    for i in range(count):
        if kind == "masked":
            for t in range(length):
                token, asked = numbers.below(vocabulary), numbers.below(4) == 0
                inputs[i, t] = 0 if asked else token
                targets[i, t] = token if asked else -1
        else:
            ids = [numbers.below(vocabulary) for _ in range(length + (kind == "next"))]
            inputs[i] = ids[:length]
            if kind == "next":
                targets[i] = ids[1:]
    labels = np.array([numbers.below(classes) for _ in range(count)]) if classes else None
    return inputs, targets, labels


class Parameters:
    """Named slices of a flat array, in order; "in-out" matrices are stored [in][out]."""

    def __init__(self):
        self.slices, self.size = [], 0

    def add(self, name, rows, cols=1, inout=False, norm=False):
        self.slices.append((name, self.size, rows, cols, inout, norm))
        self.size += rows * cols

    def linear(self, name, rows, cols, bias=True):
        self.add(name + ".weight", rows, cols, inout=True)
        if bias:
            self.add(name + ".bias", rows)

    def norm(self, name, width, bias=True):
        self.add(name + ".weight", width, norm=True)
        if bias:
            self.add(name + ".bias", width)

    def draw(self, seed):
        numbers = Numbers(seed)
        flat = np.array([numbers.next(0.5) for _ in range(self.size)])
        for _, at, rows, cols, _, norm in self.slices:
            if norm:
                flat[at:at + rows * cols] += 1
        return flat

    def views(self, flat):
        """By name; matrices as outputs x inputs."""
        out = {}
        for name, at, rows, cols, inout, _ in self.slices:
            values = flat[at:at + rows * cols]
            if cols == 1:
                out[name] = values
            else:
                out[name] = values.reshape(cols, rows).T if inout else values.reshape(rows, cols)
        return out


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention(q, k, v, heads, kv_heads, seen):
    """One sequence; seen: queries x keys, true where visible."""
    width = q.shape[1] // heads
    out = np.zeros_like(q)
    for h in range(heads):
        own, shared = slice(h * width, (h + 1) * width), h * kv_heads // heads * width
        other = slice(shared, shared + width)
        scores = np.where(seen, q[:, own] @ k[:, other].T / math.sqrt(width), -np.inf)
        out[:, own] = softmax(scores) @ v[:, other]
    return out


def layer_norm(x, p, name, epsilon=1e-12):
    centred = x - x.mean(axis=-1, keepdims=True)
    scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon)
    return centred / scale * p[name + ".weight"] + p[name + ".bias"]


def gelu(x):
    return x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def linear(x, p, name):
    return x @ p[name + ".weight"].T + p.get(name + ".bias", 0)


# --- llama ------------------------------------------------------------------------------------
def llama_parameters(c):
    q = Parameters()
    q.add("embed", c["vocabulary"], c["dim"])
    kv = c["dim"] // c["heads"] * c["kv_heads"]
    for l in range(c["layers"]):
        q.norm(f"{l}.a", c["dim"], bias=False)
        for name, rows, cols in [("q", c["dim"], c["dim"]), ("k", kv, c["dim"]),
                                 ("v", kv, c["dim"]), ("o", c["dim"], c["dim"])]:
            q.linear(f"{l}.{name}", rows, cols, bias=False)
        q.norm(f"{l}.m", c["dim"], bias=False)
        for name in ("gate", "up"):
            q.linear(f"{l}.{name}", c["intermediate"], c["dim"], bias=False)
        q.linear(f"{l}.down", c["dim"], c["intermediate"], bias=False)
    q.norm("norm", c["dim"], bias=False)
    if not c["tied"]:
        q.add("head", c["vocabulary"], c["dim"])
    return q


def rms_norm(x, w):
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5) * w


def rope(x, heads, half_split):
    """By complex numbers: each pair is one, turned by its angle."""
    length, width = x.shape[0], x.shape[1] // heads
    turn = np.exp(1j * np.outer(np.arange(length), 10000.0**(-2 * np.arange(width // 2) / width)))
    out = np.empty_like(x)
    for h in range(heads):
        part = x[:, h * width:(h + 1) * width]
        a, b = (part[:, :width // 2], part[:, width // 2:]) if half_split else (part[:, ::2],
                                                                               part[:, 1::2])
        turned = (a + 1j * b) * turn
        at = slice(h * width, (h + 1) * width)
        if half_split:
            out[:, at] = np.concatenate([turned.real, turned.imag], axis=1)
        else:
            out[:, at] = np.stack([turned.real, turned.imag], axis=2).reshape(length, width)
    return out


def llama_logits(c, p, inputs):
    out = []
    for ids in inputs:
        x = p["embed"][ids]
        seen = np.tril(np.ones((len(ids), len(ids)), bool))
        for l in range(c["layers"]):
            a = rms_norm(x, p[f"{l}.a.weight"])
            q = rope(linear(a, p, f"{l}.q"), c["heads"], c["half_split"])
            k = rope(linear(a, p, f"{l}.k"), c["kv_heads"], c["half_split"])
            o = attention(q, k, linear(a, p, f"{l}.v"), c["heads"], c["kv_heads"], seen)
            x = x + linear(o, p, f"{l}.o")
            m = rms_norm(x, p[f"{l}.m.weight"])
            gate = linear(m, p, f"{l}.gate")
            x = x + linear(gate / (1 + np.exp(-gate)) * linear(m, p, f"{l}.up"), p, f"{l}.down")
        out.append(rms_norm(x, p["norm.weight"]) @ (p["embed"] if c["tied"] else p["head"]).T)
    return np.array(out)


# --- encoders ---------------------------------------------------------------------------------
def block_parameters(q, prefix, d, f, norm_first):
    if norm_first:
        q.norm(prefix + "a", d)
    for name in "qkvo":
        q.linear(prefix + name, d, d)
    q.norm(prefix + ("m" if norm_first else "a"), d)
    q.linear(prefix + "up", f, d)
    q.linear(prefix + "down", d, f)
    if not norm_first:
        q.norm(prefix + "m", d)


def block(x, p, prefix, heads, norm_first):
    seen = np.ones((len(x), len(x)), bool)
    a = layer_norm(x, p, prefix + "a") if norm_first else x
    o = attention(*(linear(a, p, prefix + n) for n in "qkv"), heads, heads, seen)
    s = x + linear(o, p, prefix + "o")
    m = layer_norm(s, p, prefix + ("m" if norm_first else "a"))
    f = linear(gelu(linear(m, p, prefix + "up")), p, prefix + "down")
    return s + f if norm_first else layer_norm(m + f, p, prefix + "m")


def bert_parameters(c):
    q, d = Parameters(), c["dim"]
    q.add("words", c["vocabulary"], d)
    q.add("positions", c["length"], d)
    q.add("types", 2, d)
    q.norm("norm", d)
    for l in range(c["layers"]):
        block_parameters(q, f"{l}.", d, c["intermediate"], False)
    if c["classes"]:
        q.linear("pooler", d, d)
        q.add("classifier.weight", c["classes"], d)  # narrow: [out][in]
        q.add("classifier.bias", c["classes"])
    else:
        q.add("bias", c["vocabulary"])
        q.linear("inner", d, d)
        q.norm("inner_norm", d)
    return q


def bert_logits(c, p, inputs):
    out = []
    for ids in inputs:
        x = layer_norm(p["words"][ids] + p["positions"] + p["types"][0], p, "norm")
        for l in range(c["layers"]):
            x = block(x, p, f"{l}.", c["heads"], False)
        if c["classes"]:
            out.append(linear(np.tanh(linear(x[:1], p, "pooler")), p, "classifier")[0])
        else:
            h = layer_norm(gelu(linear(x, p, "inner")), p, "inner_norm")
            out.append(h @ p["words"].T + p["bias"])
    return np.array(out)


def vit_parameters(c):
    q, d = Parameters(), c["dim"]
    q.add("token", 1, d)
    q.add("positions", c["height"] // 4 * (c["width"] // 4) + 1, d)
    q.linear("projection", d, c["channels"] * 16)
    for l in range(c["layers"]):
        block_parameters(q, f"{l}.", d, c["intermediate"], True)
    q.norm("norm", d)
    q.add("classifier.weight", c["classes"], d)
    q.add("classifier.bias", c["classes"])
    return q


def vit_logits(c, p, images):
    out = []
    for image in images.reshape(-1, c["channels"], c["height"], c["width"]):
        patches = [image[:, y:y + 4, x:x + 4].ravel() for y in range(0, c["height"], 4)
                   for x in range(0, c["width"], 4)]
        x = np.vstack([p["token"], linear(np.array(patches), p, "projection")]) + p["positions"]
        for l in range(c["layers"]):
            x = block(x, p, f"{l}.", c["heads"], True)
        out.append(linear(layer_norm(x[:1], p, "norm"), p, "classifier")[0])
    return np.array(out)


# --- cifg-lstm --------------------------------------------------------------------------------
def cifg_parameters(c):
    q = Parameters()
    q.add("embed", c["vocabulary"], c["dim"])
    q.add("ih", 3 * c["cells"], c["dim"], inout=True)
    q.add("hh", 3 * c["cells"], c["dim"], inout=True)
    q.add("b", 3 * c["cells"])
    q.add("hr", c["dim"], c["cells"], inout=True)
    return q


def cifg_logits(c, p, inputs):
    out = []
    for ids in inputs:
        n = c["cells"]
        cell, recurrent, rows = np.zeros(n), np.zeros(c["dim"]), []
        for token in ids:
            a = p["ih"] @ p["embed"][token] + p["hh"] @ recurrent + p["b"]
            forget, output = (1 / (1 + np.exp(-part)) for part in (a[:n], a[2 * n:]))
            cell = forget * cell + (1 - forget) * np.tanh(a[n:2 * n])
            recurrent = p["hr"] @ (output * np.tanh(cell))
            rows.append(p["embed"] @ recurrent)
        out.append(rows)
    return np.array(out)


# --- cases ------------------------------------------------------------------------------------
def mean_loss(logits, targets):
    z, y = logits.reshape(-1, logits.shape[-1]), targets.ravel()
    z, y = z[y >= 0], y[y >= 0]
    m = z.max(axis=1)
    return (m + np.log(np.exp(z - m[:, None]).sum(axis=1)) - z[np.arange(len(y)), y]).mean()


def case(name, parameters, logits_of, targets, seed, stride):
    flat = parameters.draw(seed)

    def loss_at(i, h):
        moved = flat.copy()
        moved[i] += h
        return mean_loss(logits_of(parameters.views(moved)), targets)

    def slope(i, h=2e-3):
        return (8 * (loss_at(i, h) - loss_at(i, -h)) - loss_at(i, 2 * h) + loss_at(i, -2 * h)) / 12 / h

    logits = logits_of(parameters.views(flat))
    gradient = [slope(i) for i in range(0, flat.size, stride)]
    print("case", name)
    print("loss", repr(float(mean_loss(logits, targets))))
    print("logits", *(f"{z:.9g}" for z in logits.ravel()))
    print("stride", stride, "size", flat.size)
    print("gradient", *(f"{g:.9g}" for g in gradient))


def llama_case(name, tied, half_split, seed):
    c = dict(vocabulary=19, dim=16, layers=2, heads=4, kv_heads=2, intermediate=12, tied=tied,
             half_split=half_split)
    inputs, targets, _ = texts("next", 19, 7, 2, 0, seed + 100)
    case(name, llama_parameters(c), lambda p: llama_logits(c, p, inputs), targets, seed, 23)


def bert_case(name, classes, seed):
    c = dict(vocabulary=19, dim=16, layers=2, heads=4, intermediate=20, length=7, classes=classes)
    inputs, targets, labels = texts("classes" if classes else "masked", 19, 7, 3, classes, seed + 100)
    case(name, bert_parameters(c), lambda p: bert_logits(c, p, inputs),
         labels if classes else targets, seed, 29)


def vit_case(name, seed):
    c = dict(channels=3, height=8, width=12, dim=16, layers=2, heads=4, intermediate=20, classes=5)
    numbers = Numbers(seed + 100)
    images = numbers.array((3, 288), 1)
    labels = np.array([numbers.below(5) for _ in range(3)])
    case(name, vit_parameters(c), lambda p: vit_logits(c, p, images), labels, seed, 31)


def cifg_case(name, seed):
    c = dict(vocabulary=19, dim=10, cells=13)
    inputs, targets, _ = texts("next", 19, 7, 2, 0, seed + 100)
    case(name, cifg_parameters(c), lambda p: cifg_logits(c, p, inputs), targets, seed, 11)


if __name__ == "__main__":
    llama_case("llama-tied", True, False, 1)
    llama_case("llama-untied-half-split", False, True, 2)
    bert_case("bert-masked", 0, 3)
    bert_case("bert-classes", 4, 4)
    vit_case("vit", 5)
    cifg_case("cifg-lstm", 6)
