// Bernoulli-LoRA as a method: Sokolov et al. 2025 (arXiv:2508.03820), its estimators beyond
// stochastic gradients, over a model that is trained itself.
//
//   with probability p:  B_S frozen,  W <- W + H_B D;   else  A_S frozen,  W <- W + D H_A
//   H_B = B (B'B)^+ B', m x m;  H_A = A' (A A')^+ A, n x n;  D the estimator's step, -gamma G
//
// One coin a round for all layers, and fresh orthonormal frames of `rank` vectors, from the run's
// seed. Only the matrices of `targets` move. estimator:
//   mean  D is the mean of what clients send, through the plans' codecs: with dense
//   Bernoulli-LoRA-GD,
//         with qsgd or random-k Fed-Bernoulli-LoRA-QGD, with marina -MARINA, with ef21 -EF21; the
//         sketch is the server's. The paper has one local step, full batch
//   page  G_i = the full gradient on a coin of page_probability that all share, else
//         G_i + (g_i(W; S) - g_i(W-; S)) for one batch S, at the present and at the last point
//   mvr   G_i = g_i(W; S) + (1 - momentum) (G_i - g_i(W-; S))
// page and mvr send -gamma B'G_i (r x n) or -gamma G_i A' (m x r) for each matrix, float32, which
// loses nothing of what the sketch leaves. They keep G_i and W- whole on the device, which LoRA is
// meant to avoid and which is charged: state "bernoulli.g", "bernoulli.w", float32. A client that
// missed rounds goes on from its own last point. Down: the model.
#include <algorithm>

#include "algorithms/federated_method.h"
#include "algorithms/kernels/orthonormal.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/layer_targets.h"
#include "algorithms/method_steps.h"
#include "sim/core/distributions.h"
#include "sim/core/refuse_idle.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct BernoulliParams {
  int rank = 0;
  double probability = 0;
  LayerTargets targets;
  std::string estimator = "mean";
  double page_probability = 0.1;
  double momentum = 0.1;
};

// The random frame of one matrix in one round.
struct Sketch {
  bool left = true;  // of the rows
  int rank = 0;
  std::vector<double> frame;  // rank x (left: rows, else cols)
};

std::size_t place(const Slice& s, int row, int col) {
  return s.order == Order::kInOut
             ? static_cast<std::size_t>(col) * std::size_t(s.rows) + std::size_t(row)
             : static_cast<std::size_t>(row) * std::size_t(s.cols) + std::size_t(col);
}

Sketch sketch_of(const Slice& s, bool left, int rank, const Stream& round) {
  const int width = left ? s.rows : s.cols;
  Sketch sketch{left, std::min({rank, s.rows, s.cols}), {}};
  Stream draw = round.child(s.name);
  sketch.frame.resize(std::size_t(sketch.rank) * std::size_t(width));
  for (double& x : sketch.frame) x = normal(draw);
  kernels::orthonormalise_rows(sketch.frame, sketch.rank, width);
  return sketch;
}

// B'G, rank x cols, or (G A')', rank x rows.
std::vector<float> projected(const Sketch& k, const Slice& s, std::span<const float> g) {
  const int width = k.left ? s.rows : s.cols, other = k.left ? s.cols : s.rows;
  std::vector<float> out;
  for (int r = 0; r < k.rank; ++r) {
    const double* axis = k.frame.data() + std::size_t(r) * std::size_t(width);
    for (int j = 0; j < other; ++j) {
      double sum = 0;
      for (int i = 0; i < width; ++i) {
        sum += axis[i] * double(g[k.left ? place(s, i, j) : place(s, j, i)]);
      }
      out.push_back(static_cast<float>(sum));
    }
  }
  return out;
}

// Its way back: H_B G or G H_A from what projected() gave.
void expand(const Sketch& k, const Slice& s, std::span<const float> part, std::span<float> out) {
  const int width = k.left ? s.rows : s.cols, other = k.left ? s.cols : s.rows;
  for (int j = 0; j < other; ++j) {
    for (int i = 0; i < width; ++i) {
      double sum = 0;
      for (int r = 0; r < k.rank; ++r) {
        sum += k.frame[std::size_t(r) * std::size_t(width) + std::size_t(i)] *
               double(part[std::size_t(r) * std::size_t(other) + std::size_t(j)]);
      }
      out[k.left ? place(s, i, j) : place(s, j, i)] = static_cast<float>(sum);
    }
  }
}

}  // namespace

template <>
Schema<BernoulliParams> schema() {
  using P = BernoulliParams;
  constexpr const char* kWhy = "by bernoulli-lora; skiff has no default that changes results";
  Schema<P> s;
  s.field("rank", &P::rank, "vectors of the random factor").at_least(1).required(kWhy);
  s.field("probability", &P::probability, "chance that B is frozen and A trained in a round")
      .fraction()
      .required(kWhy);
  s.field("targets", &P::targets,
          "layers that move: linear (every matrix), or such as [q_proj, v_proj]");
  s.field("estimator", &P::estimator, "of the gradient: the mean of what codecs bring, page, mvr")
      .one_of({"mean", "page", "mvr"});
  s.field("page_probability", &P::page_probability, "page: chance of a full gradient")
      .fraction()
      .above(0);
  s.field("momentum", &P::momentum, "mvr: share of the new gradient").fraction().above(0);
  s.check([](const P& p, const Node& map, Reader& reader) {
    const P unless;
    refuse_idle(p.estimator != "page" && p.page_probability != unless.page_probability,
                "page_probability", "estimator: page", map, reader);
    refuse_idle(p.estimator != "mvr" && p.momentum != unless.momentum, "momentum", "estimator: mvr",
                map, reader);
  });
  return s;
}

namespace {

class BernoulliSteps final : public FederatedMethod {
 public:
  explicit BernoulliSteps(const BernoulliParams& p)
      : p_(p), dense_(Registry<Codec>::instance().make(named("dense"))) {}

  Exchange exchange(const Composition& c, const Server& server, const Plan& plan,
                    const Shape& shape, ClientId client) const override {
    if (!keeps()) return FederatedMethod::exchange(c, server, plan, shape, client);
    const LayoutPtr layout = c.update_layout(plan);
    std::size_t n = 0;
    for (const std::size_t t : targets_in(*layout)) {
      const Slice& s = layout->slices[t];
      n += std::size_t(std::min({p_.rank, s.rows, s.cols})) *
           std::size_t(left(c, server.version) ? s.cols : s.rows);
    }
    return {model_sections(c, server, plan),
            {{kUpdateSection, dense_->bytes(*flat_layout(n)), -1}}};
  }

  void client(ClientContext& context) const override {
    if (!keeps()) return FederatedMethod::client(context);
    const Composition& c = context.composition();
    const Vector estimate = next_estimate(context);
    Vector update;
    for (const std::size_t t : targets_in(*estimate.layout)) {
      const Slice& s = estimate.layout->slices[t];
      const auto part = projected(sketch(c, context.round(), s), s,
                                  std::span(estimate.values).subspan(s.offset, s.size()));
      update.values.insert(update.values.end(), part.begin(), part.end());
    }
    update.layout = flat_layout(update.values.size());
    kernels::scale(update.values, static_cast<float>(-context.learning_rate()), update.values);
    context.send(kUpdateSection, update, *dense_);
  }

  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    State state = server.state;
    const Vector& model = server.models[c.global().model].weights;
    Vector direction(model.layout), mean;
    if (keeps()) {
      mean = mean_of(updates);
    } else {
      mean = mean_direction(c, server, updates, state);
    }
    std::size_t from = 0;
    for (const std::size_t t : targets_in(*model.layout)) {
      const Slice& s = model.layout->slices[t];
      const Sketch k = sketch(c, server.version, s);
      const std::span<float> out = std::span(direction.values).subspan(s.offset, s.size());
      if (keeps()) {
        const std::size_t size = std::size_t(k.rank) * std::size_t(k.left ? s.cols : s.rows);
        expand(k, s, std::span(mean.values).subspan(from, size), out);
        from += size;
      } else {
        expand(k, s, projected(k, s, std::span(mean.values).subspan(s.offset, s.size())), out);
      }
    }
    return advance_with(c, server, direction, std::move(state));
  }

  Bytes client_state_bytes(const Composition& c, const Plan& plan) const override {
    return keeps() ? Bytes(static_cast<std::int64_t>(8 * c.update_layout(plan)->size)) : Bytes(0);
  }
  Bytes training_bytes(const Composition& c, const Plan& plan) const override {
    // G, the last point, and the gradient there.
    return keeps() ? Bytes(static_cast<std::int64_t>(12 * c.update_layout(plan)->size)) : Bytes(0);
  }
  bool keeps_vectors() const override { return keeps(); }
  bool needs_plain_sgd() const override { return true; }
  bool reads_gradient() const override { return true; }
  bool has_own_wire() const override { return keeps(); }
  bool applies_server_half() const override { return !keeps(); }
  bool says_model_itself() const override { return true; }

 private:
  static Node named(const char* name) {
    Node map;
    map.set(Codec::kKey, Node::scalar(name));
    return map;
  }
  // `linear` is every matrix here, the output layer's too.
  std::vector<std::size_t> targets_in(const Layout& layout) const {
    if (!p_.targets.all_linear) return p_.targets.of(layout);
    std::vector<std::size_t> all;
    for (std::size_t t = 0; t < layout.slices.size(); ++t) {
      if (layout.slices[t].is_matrix()) all.push_back(t);
    }
    return all;
  }
  bool keeps() const { return p_.estimator != "mean"; }
  bool left(const Composition& c, std::int64_t version) const {
    Stream coin(c.seed, "bernoulli-lora.coin", 0, static_cast<std::uint64_t>(version));
    return coin.uniform() < p_.probability;
  }
  Sketch sketch(const Composition& c, std::int64_t version, const Slice& s) const {
    const Stream round(c.seed, "bernoulli-lora.sketch", 0, static_cast<std::uint64_t>(version));
    return sketch_of(s, left(c, version), p_.rank, round);
  }

  // G_i of this round; it and the point it was taken at are kept.
  Vector next_estimate(ClientContext& context) const {
    const bool first = !context.state().has("bernoulli.g");
    const Vector& now = context.received();
    const std::size_t n = now.values.size();
    const auto g = context.state().array<float>("bernoulli.g", n);
    const auto w = context.state().array<float>("bernoulli.w", n);
    const bool page = p_.estimator == "page";
    const bool full = page && (first || draws_full(context));
    if (full) {
      context.full_gradient();
    } else {
      context.gradient(0);
    }
    Vector next = context.weights().gradient();
    if (!first && !full) {
      Vector last(now.layout);
      last.values.assign(w.begin(), w.end());
      context.gradient(0, &last);
      const std::vector<float>& before = context.weights().gradient().values;
      const auto kept = static_cast<float>(page ? 1 : 1 - p_.momentum);
      for (std::size_t j = 0; j < n; ++j) next.values[j] += kept * (g[j] - before[j]);
    }
    std::copy(next.values.begin(), next.values.end(), g.begin());
    std::copy(now.values.begin(), now.values.end(), w.begin());
    return next;
  }
  bool draws_full(const ClientContext& context) const {
    Stream coin(context.composition().seed, "bernoulli-lora.page", 0,
                static_cast<std::uint64_t>(context.round()));
    return coin.uniform() < p_.page_probability;
  }

  Vector mean_of(std::span<const Update> updates) const {
    double total = 0;
    for (const Update& u : updates) total += u.weight;
    std::vector<double> sum;
    for (const Update& u : updates) {
      const Payload* payload = u.message.find(kUpdateSection);
      SKIFF_CHECK(payload != nullptr, "an update without its factors");
      Vector part(flat_layout(payload->bytes.size() / sizeof(float)));
      dense_->decode(*part.layout, *payload, part.values);
      sum.resize(part.values.size());
      kernels::axpy(std::span(sum), u.weight / total, part.values);
    }
    Vector mean(flat_layout(sum.size()));
    for (std::size_t j = 0; j < sum.size(); ++j) mean.values[j] = static_cast<float>(sum[j]);
    return mean;
  }

  BernoulliParams p_;
  std::shared_ptr<const Codec> dense_;
};

SKIFF_REGISTER(FederatedMethod, BernoulliSteps, BernoulliParams,
               {.name = "bernoulli-lora",
                .summary = "a sketched step over page, mvr or compressed gradients",
                .paper = "Sokolov et al. 2025, arXiv:2508.03820",
                .verified = "on five unequal quadratics GD, MARINA and EF21 reach the optimum and "
                            "random-k gradients alone stall; with full batches page and mvr are "
                            "GD; what goes up is the sketched factor, state is charged"});

}  // namespace
}  // namespace skiff
