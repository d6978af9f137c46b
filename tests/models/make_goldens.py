"""Writes goldens.txt: losses, logits and gradients of small networks, by numpy in double precision.

An independent implementation: explicit formulas, no code shared with skiff. Weights, samples and
labels come from the generator of tests/models/model_test.h (class Numbers), so the file holds only
results. Weights are drawn in the order of the flat parameter array, whose layout is spelled out
here: "inout" slices are [in][out], "outin" slices [out][in], convolutions [ky][kx][in][out].

usage: python3 make_goldens.py > goldens.txt
"""
import numpy as np


class Numbers:
    def __init__(self, seed):
        self.s = seed

    def advance(self):
        self.s = (self.s * 6364136223846793005 + 1442695040888963407) % 2**64

    def next(self, scale):
        self.advance()
        return scale * (2 * ((self.s >> 40) * 2.0**-24) - 1)

    def below(self, n):
        self.advance()
        return (self.s >> 33) % n

    def array(self, shape, scale):
        return np.array([self.next(scale) for _ in range(int(np.prod(shape)))]).reshape(shape)


def samples(width, rows, classes, seed):
    numbers = Numbers(seed)
    x = numbers.array((rows, width), 1)
    return x, np.array([numbers.below(classes) for _ in range(rows)])


def cross_entropy(z, labels):
    """Mean loss and its gradient by the logits."""
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(z))
    loss = -np.log(p[rows, labels]).mean()
    d = p.copy()
    d[rows, labels] -= 1
    return loss, d / len(z)


def binary(z, signs):
    margin = signs * z[:, 0]
    return np.log1p(np.exp(-margin)).mean(), (-signs / (1 + np.exp(margin)) / len(z))[:, None]


def dense_shapes(widths, order_of_last):
    """[(shape, order)] of weight and bias for each layer."""
    shapes = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        order = order_of_last if i == len(widths) - 2 else "inout"
        shapes += [((a, b) if order == "inout" else (b, a), order), ((b,), "bias")]
    return shapes


def dense_forward(x, params):
    """Inputs of every layer, and the logits."""
    inputs = [x]
    for i in range(0, len(params), 2):
        (w, order), (b, _) = params[i], params[i + 1]
        y = inputs[-1] @ (w if order == "inout" else w.T) + b
        inputs.append(y if i + 2 == len(params) else np.maximum(y, 0))
    return inputs


def dense_backward(inputs, d, params):
    """Gradients of the parameters and of the first input."""
    gradients = []
    for i in reversed(range(0, len(params), 2)):
        w, order = params[i]
        x = inputs[i // 2]
        gw = x.T @ d
        gradients = [gw if order == "inout" else gw.T, d.sum(axis=0)] + gradients
        d = d @ (w.T if order == "inout" else w)
        if i > 0:
            d = d * (x > 0)
    return gradients, d


def draw(shapes, seed, scale):
    numbers = Numbers(seed)
    return [(numbers.array(shape, scale), order) for shape, order in shapes]


def pad_of(x, same, kernel):
    if not same:
        return x
    before, after = (kernel - 1) // 2, kernel // 2
    return np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)))


def convolve(x, w, b, same):
    k = w.shape[0]
    x = pad_of(x, same, k)
    height, width = x.shape[1] - k + 1, x.shape[2] - k + 1
    y = np.zeros((len(x), height, width, w.shape[3])) + b
    for ky in range(k):
        for kx in range(k):
            y += x[:, ky:ky + height, kx:kx + width] @ w[ky, kx]
    return y


def convolve_backward(x, w, dy, same):
    k = w.shape[0]
    padded = pad_of(x, same, k)
    height, width = dy.shape[1:3]
    dw, dx = np.zeros_like(w), np.zeros_like(padded)
    for ky in range(k):
        for kx in range(k):
            part = padded[:, ky:ky + height, kx:kx + width]
            dw[ky, kx] = np.einsum("nyxi,nyxo->io", part, dy)
            dx[:, ky:ky + height, kx:kx + width] += dy @ w[ky, kx].T
    before = (k - 1) // 2 if same else 0
    dx = dx[:, before:before + x.shape[1], before:before + x.shape[2]]
    return dw, dy.sum(axis=(0, 1, 2)), dx


def pool(x):
    """ReLU, then 2 x 2 maxima; and which of the four won."""
    n, height, width, c = x.shape
    x = np.maximum(x, 0)[:, :height // 2 * 2, :width // 2 * 2]
    windows = x.reshape(n, height // 2, 2, width // 2, 2, c).transpose(0, 1, 3, 5, 2, 4)
    windows = windows.reshape(n, height // 2, width // 2, c, 4)
    return windows.max(axis=-1), windows.argmax(axis=-1)


def pool_backward(d, winner, pooled, shape):
    n, height, width, c = shape
    windows = np.zeros((*d.shape, 4))
    np.put_along_axis(windows, winner[..., None], (d * (pooled > 0))[..., None], axis=-1)
    dx = np.zeros(shape)
    h, w = height // 2, width // 2
    dx[:, :2 * h, :2 * w] = windows.reshape(n, h, w, c, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(
        n, 2 * h, 2 * w, c)
    return dx


def show(name, loss, logits, gradients, stride):
    flat = np.concatenate([g.ravel() for g in gradients])
    print("case", name)
    print("loss", repr(float(loss)))
    print("logits", *(f"{z:.9g}" for z in logits.ravel()))
    print("stride", stride, "size", flat.size, "norm", repr(float(np.linalg.norm(flat))))
    print("gradient", *(f"{g:.9g}" for g in flat[::stride]))


def dense_case(name, widths, classes, order, l2=0.0, seed=1):
    params = draw(dense_shapes(widths, order), seed, 0.5)
    x, labels = samples(widths[0], 6, classes, seed + 100)
    inputs = dense_forward(x, params)
    loss, d = binary(inputs[-1], 2 * labels - 1) if classes == 2 else cross_entropy(inputs[-1], labels)
    gradients, _ = dense_backward(inputs, d, params)
    gradients = [g + l2 * w for g, (w, _) in zip(gradients, params)]
    loss += l2 / 2 * sum((w**2).sum() for w, _ in params)
    show(name, loss, inputs[-1], gradients, 1)


def cnn_case(name, channels, height, width, stages, same, hidden, stride, seed):
    shapes, in_channels, h, w = [], channels, height, width
    for out in stages:
        shapes += [((5, 5, in_channels, out), "conv"), ((out,), "bias")]
        h, w = ((h, w) if same else (h - 4, w - 4))
        h, w, in_channels = h // 2, w // 2, out
    shapes += dense_shapes([h * w * in_channels, *hidden, 10], "outin")
    params = draw(shapes, seed, 0.125)
    x, labels = samples(channels * height * width, 3, 10, seed + 100)
    maps = [x.reshape(3, channels, height, width).transpose(0, 2, 3, 1)]
    raw, winners = [], []
    for l in range(2):
        raw.append(convolve(maps[-1], params[2 * l][0], params[2 * l + 1][0], same))
        pooled, winner = pool(raw[-1])
        maps.append(pooled)
        winners.append(winner)
    inputs = dense_forward(maps[-1].reshape(3, -1), params[4:])
    loss, d = cross_entropy(inputs[-1], labels)
    gradients, d = dense_backward(inputs, d, params[4:])
    d = d.reshape(maps[-1].shape)
    for l in (1, 0):
        d = pool_backward(d, winners[l], maps[l + 1], raw[l].shape)
        dw, db, d = convolve_backward(maps[l], params[2 * l][0], d, same)
        gradients = [dw, db] + gradients
    show(name, loss, inputs[-1], gradients, stride)


if __name__ == "__main__":
    dense_case("logistic", [9, 5], 5, "outin", seed=1)
    dense_case("wide-logistic", [4, 18], 18, "inout", seed=2)
    dense_case("binary", [8, 1], 2, "outin", l2=0.25, seed=3)
    dense_case("mlp", [7, 9, 6, 4], 4, "outin", l2=0.125, seed=4)
    cnn_case("cnn-tiny", 3, 16, 19, [4, 8], False, [], 7, seed=5)
    cnn_case("cnn-small", 1, 20, 20, [8, 16], False, [], 11, seed=6)
    cnn_case("cnn-base", 1, 8, 10, [32, 64], True, [512], 401, seed=7)
