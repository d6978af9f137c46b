// MicroAdam: Adam on a window of sparse gradients, with quantized error feedback (Modoranu et al.
// 2024, arXiv:2405.15593, algorithm 1). In step t = 1, 2, ... of a slice of d values:
//   a = g + Qinv(e);  S = the ceil(density * length) largest |a| of each block of 16,384
//   the window's oldest slot becomes (S, a[S]);  a[S] = 0;  e = Q(a)
//   z1 = sum over the window of beta1^age V;  z2 = sum of beta2^age V^2
//   w = (1 - learning_rate weight_decay) w
//       - learning_rate mhat / (sqrt(vhat) + epsilon),
//   mhat = (1 - beta1) z1 / (1 - beta1^t),  vhat = (1 - beta2) z2 / (1 - beta2^t)
// Q rounds to 4 bits between the least and the greatest value of each bucket.
//
// It is no moving average: the window is cut off and the correction of the bias is not, so a value
// that is chosen in every step moves up to 6.5 times as far as with Adam (10 slots), and one that
// is chosen once moves 20.6 learning rates in all.
//
// The theorem asks for (1 + omega) q < 1, omega the relative error of the residual's rounding and q
// what selection leaves of the gradient's norm: with a density of 1 % and 4 bits this does not hold
// in the worst case. The greatest (1 + omega) q of a round's steps and slices is recorded as the
// metric `contraction`; where it exceeds 1 no theorem speaks of the run.
//
// Where a client's state ends with its round the residual is lost, or, with flush_error:
// add-to-delta, paid as one step of gradient descent: w -= learning_rate Qinv(e).
//
// State of a slice, k = sum over its blocks of ceil(density * length):
//   2 window k bytes of places in a block, 2 window k of values (bfloat16), ceil(d / 2) of codes,
//   4 (floor(d / bucket) + 1) of least and greatest values (bfloat16), 8 of the step's number.
// A copy of one block of the gradient is worked on, or of a slice, where buckets do not divide it.
// Immutable, thread-safe.
#include <algorithm>
#include <cmath>

#include "algorithms/kernels/adam.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/kernels/topk.h"
#include "algorithms/optimizers/common.h"
#include "algorithms/optimizers/four_bit_residual.h"
#include "algorithms/optimizers/gradient_window.h"

namespace skiff {
namespace {

constexpr std::size_t kBlock = 16384;  // places in a block fit 16 bits

struct MicroAdamParams : OptimizerParams {
  int window = 10;
  double density = 0.01;
  int bucket = 64;
  std::string feedback = "4-bit";
  std::string values = "bf16";
  std::string flush_error = "auto";
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

std::size_t kept(std::size_t length, double density) {
  const double product = density * static_cast<double>(length);
  return std::min(length, static_cast<std::size_t>(std::ceil(product * (1 - 1e-12))));
}

std::size_t kept_of_slice(std::size_t d, double density) {
  return d / kBlock * kept(kBlock, density) + kept(d % kBlock, density);
}

class MicroAdam final : public Optimizer {
 public:
  explicit MicroAdam(MicroAdamParams params)
      : params_(std::move(params)),
        window_(static_cast<std::size_t>(params_.window)),
        bucket_(static_cast<std::size_t>(params_.bucket)) {}

  double learning_rate(std::int64_t round, std::int64_t horizon) const override {
    return params_.rate(round, horizon);
  }
  void step(const Slice& slice, std::span<float> w, std::span<const float> g, double learning_rate,
            State& state) const override;
  void finish(const Slice& slice, std::span<float> w, double learning_rate,
              State& state) const override;
  Bytes state_bytes(const Layout& trained) const override;
  bool notes_contraction() const override { return true; }
  ClientStatePolicy client_state() const override { return params_.policy(); }
  std::optional<Bytes> state_limit() const override { return params_.state_limit; }

 private:
  bool halves() const { return params_.values == "bf16"; }
  std::size_t slice_bytes(std::size_t d) const;
  // The largest values of a, whole blocks, leave for the window from entry `next` on. Returns their
  // sum of squares.
  double select(std::span<float> a, std::size_t next, const Window& window) const;
  // The gradient and the residual go to the slot and to the new residual. Returns the factor by
  // which both together shrink what is still owed: (1 + omega) q.
  double remember(const std::string& name, std::span<const float> g, std::size_t slot,
                  const Window& window, State& state) const;
  // w by the window after step t, whose slot is `newest`.
  void move(std::span<float> w, const Window& window, std::size_t newest,
            const kernels::AdamStep& adam, std::int64_t t) const;

  MicroAdamParams params_;
  std::size_t window_, bucket_;
};

double MicroAdam::select(std::span<float> a, std::size_t next, const Window& window) const {
  std::vector<std::uint32_t> chosen(kept(std::min(a.size(), kBlock), params_.density)), scratch;
  double power = 0;
  for (std::size_t begin = 0; begin < a.size(); begin += kBlock) {
    const std::span<float> block = a.subspan(begin, std::min(kBlock, a.size() - begin));
    const std::span<std::uint32_t> top(chosen.data(), kept(block.size(), params_.density));
    const std::size_t room = kernels::top_k_scratch(block.size(), top.size());
    if (scratch.size() < room) scratch.resize(room);
    kernels::top_k(top, block, scratch);
    for (const std::uint32_t i : top) {
      window.places[next] = static_cast<std::uint16_t>(i);
      window.values.put(next++, block[i]);
      power += double{block[i]} * double{block[i]};
      block[i] = 0;
    }
  }
  return power;
}

double MicroAdam::remember(const std::string& name, std::span<const float> g, std::size_t slot,
                           const Window& window, State& state) const {
  const bool codes = params_.feedback == "4-bit", floats = params_.feedback == "fp32";
  std::optional<FourBitResidual> coded;
  if (codes) coded.emplace(state, name, g.size(), bucket_);
  std::span<float> exact;
  if (floats) exact = state.array<float>(name + "/error", g.size());
  // A block at a time stays in the cache; buckets that are no part of one need the whole.
  const std::size_t piece = !codes || kBlock % bucket_ == 0 ? kBlock : g.size();
  std::vector<float> part(std::min(piece, g.size()));
  std::size_t next = slot * (window.places.size() / window_);
  double chosen = 0, after = 0,
         error = 0;  // squares: of the slot; of what it leaves; of what is lost
  for (std::size_t at = 0; at < g.size(); at += piece) {
    const std::span<float> a = std::span(part).first(std::min(piece, g.size() - at));
    const std::span<const float> now = g.subspan(at, a.size());
    if (codes) {
      coded->add(a, now.data(), at);
    } else if (floats) {
      kernels::add(a, now, exact.subspan(at, a.size()));
    } else {
      std::copy(now.begin(), now.end(), a.begin());
    }
    chosen += select(a, next, window);
    next += kept_of_slice(a.size(), params_.density);
    if (codes) {
      const auto [given, lost] = coded->take(a, at);
      after += given, error += lost;
      continue;
    }
    after += kernels::squared_norm_double(a);
    if (floats) std::copy(a.begin(), a.end(), exact.begin() + static_cast<std::ptrdiff_t>(at));
  }
  if (!codes && !floats) error = after;  // all that is left is lost
  return after > 0 ? (1 + std::sqrt(error / after)) * std::sqrt(after / (chosen + after)) : 0;
}

// Asks for a part of the weights that are next, which would else be waited for one by one.
void fetch_part(std::span<const float> next, std::size_t part, std::size_t parts) {
  constexpr std::size_t kLine = 16;
  const std::size_t length = std::min(next.size(), kBlock);
  for (std::size_t i = length * part / parts; i < length * (part + 1) / parts; i += kLine) {
    __builtin_prefetch(next.data() + i, 1);
  }
}

void MicroAdam::move(std::span<float> w, const Window& window, std::size_t newest,
                     const kernels::AdamStep& adam, std::int64_t t) const {
  const std::size_t k = window.places.size() / window_;
  const std::size_t slots = std::min(static_cast<std::size_t>(t), window_);
  std::vector<float> share1(slots), share2(slots);  // beta^age of each slot
  double power1 = 1, power2 = 1;
  for (std::size_t age = 0; age < slots; ++age) {
    const std::size_t row = (newest + window_ - age) % window_;
    share1[row] = static_cast<float>(power1), share2[row] = static_cast<float>(power2);
    power1 *= params_.beta1, power2 *= params_.beta2;
  }
  BlockSums sums(std::min(w.size(), kBlock));
  std::vector<float> values(kept(std::min(w.size(), kBlock), params_.density));
  for (std::size_t begin = 0, first = 0; begin < w.size(); begin += kBlock) {
    const std::size_t length = std::min(kBlock, w.size() - begin);
    const std::size_t count = kept(length, params_.density);
    const std::span<float> of_slot = std::span(values).first(count);
    for (std::size_t row = 0; row < slots; ++row) {
      window.values.read(of_slot, row * k + first);
      fetch_part(w.subspan(begin + length), row, slots);
      sums.add(window.places.subspan(row * k + first, count), of_slot, share1[row], share2[row]);
    }
    float* block = w.data() + begin;
    sums.take([&](std::size_t i, float z1, float z2) {
      const float mean = adam.one_minus_beta1 * z1;
      const float root = std::sqrt(adam.one_minus_beta2 * z2);
      block[i] =
          std::fma(-adam.rate, mean / std::fma(root, adam.root_correction, adam.epsilon), block[i]);
    });
    first += count;
  }
}

void MicroAdam::step(const Slice& slice, std::span<float> w, std::span<const float> g,
                     double learning_rate, State& state) const {
  const std::size_t entries = window_ * kept_of_slice(slice.size(), params_.density);
  const Window window{state.array<std::uint16_t>(slice.name + "/places", entries),
                      WindowValues(state, slice.name + "/values", entries, halves())};
  std::int64_t& t = state.array<std::int64_t>(slice.name + "/t", 1).front();
  const std::size_t slot = static_cast<std::size_t>(t) % window_;
  ++t;
  state.note("contraction", remember(slice.name, g, slot, window, state));
  decay(w, learning_rate, params_.weight_decay);
  move(w, window, slot,
       kernels::adam_step(learning_rate, params_.beta1, params_.beta2, params_.epsilon, t), t);
}

// What the residual still holds is paid at once, or forgotten, or kept for the client's next round.
void MicroAdam::finish(const Slice& slice, std::span<float> w, double learning_rate,
                       State& state) const {
  const bool keeps = params_.flush_error == "keep" ||
                     (params_.flush_error == "auto" && client_state() != ClientStatePolicy::kReset);
  if (keeps || params_.feedback == "none") return;
  const bool pays = params_.flush_error == "add-to-delta";
  const auto rate = -static_cast<float>(learning_rate);
  if (params_.feedback == "fp32") {
    const std::span<float> residual = state.array<float>(slice.name + "/error", w.size());
    if (pays) kernels::axpy(w, rate, residual);
    std::fill(residual.begin(), residual.end(), 0.0F);
    return;
  }
  FourBitResidual residual(state, slice.name, w.size(), bucket_);
  const std::size_t piece = kBlock % bucket_ == 0 ? kBlock : w.size();
  for (std::size_t at = 0; pays && at < w.size(); at += piece) {
    std::vector<float> owed(std::min(piece, w.size() - at));
    residual.add(owed, owed.data(), at);
    kernels::axpy(w.subspan(at, owed.size()), rate, owed);
  }
  residual.clear();
}

std::size_t MicroAdam::slice_bytes(std::size_t d) const {
  const std::size_t k = kept_of_slice(d, params_.density);
  const std::size_t in_window = window_ * k * (sizeof(std::uint16_t) + (halves() ? 2 : 4));
  std::size_t residual = 0;
  if (params_.feedback == "4-bit") residual = FourBitResidual::bytes(d, bucket_);
  if (params_.feedback == "fp32") residual = d * sizeof(float);
  return in_window + residual + sizeof(std::int64_t);
}

Bytes MicroAdam::state_bytes(const Layout& trained) const {
  std::size_t bytes = 0;
  for (const Slice& s : trained.slices) bytes += slice_bytes(s.size());
  return Bytes(static_cast<std::int64_t>(bytes));
}

}  // namespace

template <>
Schema<MicroAdamParams> schema<MicroAdamParams>() {
  using P = MicroAdamParams;
  Schema<P> s;
  add_common_fields(s, "microadam");
  s.field("window", &P::window, "sparse gradients that are kept").in(1, 10000);
  s.field("density", &P::density, "share of a gradient that is kept").fraction().above(0);
  s.field("bucket", &P::bucket, "values of the residual that share a range").at_least(1);
  s.field("feedback", &P::feedback, "how the residual is kept; the paper: 4-bit")
      .one_of({"4-bit", "fp32", "none"});
  s.field("values", &P::values, "how the window's values are stored").one_of({"bf16", "fp32"});
  s.field("flush_error", &P::flush_error,
          "the residual after a round's last step: added to the update, forgotten, or kept for the "
          "client's next round; auto: kept where client_state is persistent, else forgotten")
      .one_of({"auto", "add-to-delta", "drop", "keep"});
  add_adam_fields(s);
  s.check([](const P& p, const Node& map, Reader& reader) {
    if (p.flush_error != "keep" || p.policy() != ClientStatePolicy::kReset) return;
    const Reader::Scope scope(reader, "flush_error");
    reader.problem(map.find("flush_error")->where,
                   "a client forgets all moments after its round: write client_state: persistent, "
                   "or add-to-delta or drop");
  });
  return s;
}

SKIFF_REGISTER(Optimizer, MicroAdam, MicroAdamParams,
               {.name = "microadam",
                .summary = "Adam on a window of sparse gradients, with error feedback in 4 bits",
                .paper = "Modoranu et al. 2024, arXiv:2405.15593",
                .verified = "Adam where everything is kept; closed forms of the window; a case "
                            "that only error feedback solves; losses of an independent program on "
                            "mushrooms; state to the byte",
                .deviates = "buckets of one value and values outside a rounded range are defined; "
                            "the dense options (alpha) are left out"});

}  // namespace skiff
