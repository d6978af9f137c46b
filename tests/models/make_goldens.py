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


def strided(x, w, stride):
    """3x3 or 1x1 convolution with zeros around, every stride-th pixel: by its definition."""
    k, n = w.shape[0], len(x)
    x = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    rows, cols = range(0, x.shape[1] - k + 1, stride), range(0, x.shape[2] - k + 1, stride)
    y = np.zeros((n, len(rows), len(cols), w.shape[3]))
    for a, r in enumerate(rows):
        for b, c in enumerate(cols):
            y[:, a, b] = np.tensordot(x[:, r:r + k, c:c + k], w, 3)
    return y


def strided_backward(x, w, dy, stride):
    k = w.shape[0]
    padded = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    dw, dx = np.zeros_like(w), np.zeros_like(padded)
    for a in range(dy.shape[1]):
        for b in range(dy.shape[2]):
            r, c = a * stride, b * stride
            dw += np.einsum("nuvi,no->uvio", padded[:, r:r + k, c:c + k], dy[:, a, b])
            dx[:, r:r + k, c:c + k] += np.einsum("uvio,no->nuvi", w, dy[:, a, b])
    h = k // 2
    return dw, dx[:, h:h + x.shape[1], h:h + x.shape[2]]


def group_norm(x, scale, shift, groups):
    n, c = len(x), x.shape[-1]
    parts = x.reshape(n, -1, groups, c // groups)
    mean = parts.mean(axis=(1, 3), keepdims=True)
    deviation = np.sqrt(parts.var(axis=(1, 3), keepdims=True) + 1e-5)
    h = ((parts - mean) / deviation).reshape(x.shape)
    return h * scale + shift, (h, deviation, groups)


def group_norm_backward(d, scale, kept):
    h, deviation, groups = kept
    n, c = len(d), d.shape[-1]
    ds, db = (d * h).sum(axis=(0, 1, 2)), d.sum(axis=(0, 1, 2))
    g = (d * scale).reshape(n, -1, groups, c // groups)
    hat = h.reshape(g.shape)
    dx = (g - g.mean(axis=(1, 3), keepdims=True)
          - hat * (g * hat).mean(axis=(1, 3), keepdims=True)) / deviation
    return dx.reshape(d.shape), ds, db


def resnet_case(name, channels, height, width, widths, blocks, groups, stride_of_gradient, seed):
    """A stem, blocks relu(norm(conv(relu(norm(conv x)))) + shortcut x), the mean, a linear layer."""
    shapes, plan, last = [], [], widths[0]

    def unit(out, inputs, k):
        shapes.extend([((k, k, inputs, out), "conv"), ((out,), "scale"), ((out,), "shift")])
        return len(shapes) - 3

    unit(widths[0], channels, 3)
    for stage, out in enumerate(widths):
        for i in range(blocks):
            step = 2 if stage > 0 and i == 0 else 1
            first, second = unit(out, last, 3), unit(out, out, 3)
            shortcut = unit(out, last, 1) if step > 1 or out != last else None
            plan.append((first, second, shortcut, step))
            last = out
    shapes += [((10, last), "outin"), ((10,), "bias")]
    params = [p for p, _ in draw(shapes, seed, 0.5)]
    gradients = [None] * len(params)
    x, labels = samples(channels * height * width, 3, 10, seed + 100)

    def forward(at, a, step):
        z = strided(a, params[at], step)
        y, kept = group_norm(z, params[at + 1], params[at + 2], groups)
        return y, kept

    def backward(at, a, d, kept, step):
        d, gradients[at + 1], gradients[at + 2] = group_norm_backward(d, params[at + 1], kept)
        gradients[at], da = strided_backward(a, params[at], d, step)
        return da

    image = x.reshape(3, channels, height, width).transpose(0, 2, 3, 1)
    y, stem = forward(0, image, 1)
    maps, inner = [np.maximum(y, 0)], []
    for first, second, shortcut, step in plan:
        a = maps[-1]
        y, kept_first = forward(first, a, step)
        middle = np.maximum(y, 0)
        y, kept_second = forward(second, middle, 1)
        side, kept_side = forward(shortcut, a, step) if shortcut else (a, None)
        maps.append(np.maximum(y + side, 0))
        inner.append((middle, kept_first, kept_second, kept_side))
    features = maps[-1].mean(axis=(1, 2))
    logits = features @ params[-2].T + params[-1]
    loss, d = cross_entropy(logits, labels)
    gradients[-2], gradients[-1] = d.T @ features, d.sum(axis=0)
    d = np.broadcast_to((d @ params[-2])[:, None, None] / (maps[-1].shape[1] * maps[-1].shape[2]),
                        maps[-1].shape)
    for i in reversed(range(len(plan))):
        (first, second, shortcut, step), (middle, kf, ks, kside) = plan[i], inner[i]
        d = d * (maps[i + 1] > 0)
        d_middle = backward(second, middle, d, ks, 1) * (middle > 0)
        da = backward(first, maps[i], d_middle, kf, step)
        d = da + (backward(shortcut, maps[i], d, kside, step) if shortcut else d)
    backward(0, image, d * (maps[0] > 0), stem, 1)
    show(name, loss, logits, gradients, stride_of_gradient)


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
    resnet_case("resnet-one", 3, 7, 10, [4, 6], 1, 2, 11, seed=8)
    resnet_case("resnet-two", 1, 12, 12, [8, 16, 32], 2, 2, 401, seed=9)
