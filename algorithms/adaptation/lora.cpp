// LoRA: Hu et al. 2021, "LoRA: low-rank adaptation of large language models" (arXiv:2106.09685);
// federated by averaging.
//
//   y = x W^T + s (x A^T) B^T,  s = alpha / r;  A drawn, B = 0, W and biases frozen
//
// The base is downloaded once and cached; factors travel. A: kaiming uniform, U(-1/sqrt n, 1/sqrt
// n), as in the authors' code; or gaussian, N(0, 1/n), as in the paper (which gives no variance).
// aggregation, what becomes of the clients' factors B_k, A_k with weights p_k:
//   fedit     sum p_k A_k and sum p_k B_k (Zhang et al. 2023, arXiv:2305.05644): not the mean of
//   the
//             products, which has the covariance of the factors beside it
//   ffa       A stays as it was drawn, B alone is trained and sent: the mean of products is exact
//             (FFA-LoRA, Sun et al. 2024, arXiv:2403.12313)
//   fedsa     B stays on its device for good, A alone is sent: every client has a model of its own,
//             and the server's is the base (FedSA-LoRA, Guo et al. 2024, arXiv:2410.01463)
//   stacking  W <- W + sum p_k s_k B_k A_k every round, then new factors are drawn (FLoRA, Wang et
//   al.
//             2024, arXiv:2409.05976): exact; here the merged base is sent, whole, every round
//   flexlora, hetlora, zeropad   new factors from the clients' (unequal_ranks.h)
// The last four take clients of unequal ranks: a narrower one receives the first columns of B and
// rows of A, B scaled so that the product counts alike with its own alpha / r_k. HetLoRA's pruning
// of ranks on the client is left out: ranks are the plans'.
#include "algorithms/adaptation/low_rank_job.h"
#include "algorithms/adaptation/unequal_ranks.h"
#include "algorithms/adaptation/weighted_mean.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/parametrization.h"
#include "algorithms/plan.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct LoraParams : AdapterParams {
  std::string aggregation;
  std::string init = "kaiming";
};

std::vector<Factor> trained_by(const std::string& aggregation) {
  if (aggregation == "ffa") return {Factor::kB};
  return {Factor::kA, Factor::kB};
}
std::vector<Factor> sent_by(const std::string& aggregation) {
  if (aggregation == "fedsa") return {Factor::kA};
  return trained_by(aggregation);
}
// Slices that both have, by name.
void copy_common(const Vector& from, Vector& to) {
  for (const Slice& s : to.layout->slices) {
    const Slice* found = from.layout->find(s.name);
    if (found == nullptr) continue;
    std::copy_n(from.values.data() + found->offset, s.size(), to.values.data() + s.offset);
  }
}

}  // namespace

template <>
Schema<LoraParams> schema() {
  Schema<LoraParams> s;
  add_adapter(s);
  s.field("aggregation", &LoraParams::aggregation, "what becomes of the clients' factors")
      .one_of({"fedit", "ffa", "fedsa", "stacking", "flexlora", "hetlora", "zeropad"})
      .required("by lora");
  s.field("init", &LoraParams::init, "how A is drawn").one_of({"kaiming", "gaussian"});
  return s;
}

namespace {

class Lora final : public Parametrization {
 public:
  explicit Lora(const LoraParams& p)
      : p_(p),
        trained_(p, trained_by(p.aggregation)),
        sent_(p, sent_by(p.aggregation)),
        drawn_(p, {Factor::kA}),
        own_(p, {Factor::kB}) {}

  std::unique_ptr<Weights> bind(std::shared_ptr<const Model> base, const Vector& received,
                                Stream space, std::unique_ptr<Weights> reuse) const override {
    const Vector frozen = frozen_of(base->layout, space);
    return bind_low_rank(p_, std::move(base), received, frozen, std::move(reuse));
  }

  LayoutPtr update_layout(const Shape& prepared) const override {
    return sent_.of(prepared.layout);
  }
  Vector& target(GlobalModel& model) const override {
    return stacks() ? model.weights : model.adapters;
  }
  const Vector& target(const GlobalModel& model) const override {
    return stacks() ? model.weights : model.adapters;
  }
  Vector for_client(const Vector& global, const Model*) const override {
    return trains_a() && !keeps_b() ? narrowed(global, p_.rank) : global;
  }

  // A direction of the factors, or, for stacking, of the weights.
  void average(std::span<const Update> updates, std::span<const Vector> vectors,
               Vector& direction) const override {
    if (!stacks() && !replaces()) return weighted_mean(updates, vectors, direction);
    const GlobalModel& before = updates.front().base->models[updates.front().plan->model];
    std::vector<Vector> clients;
    for (std::size_t k = 0; k < updates.size(); ++k) {
      const Update& u = updates[k];
      const Vector& said = u.base->models[u.plan->model].adapters;
      clients.push_back(u.plan->parametrization->for_client(said, nullptr));
      kernels::add(clients[k].values, clients[k].values, vectors[k].values);
    }
    const std::vector<double> shares = shares_of(updates);
    if (stacks()) {
      direction = Vector(before.weights.layout);
      return add_stacked(shares, clients, p_.alpha, direction);
    }
    const Vector next = joined(p_.aggregation, shares, clients, before.adapters.layout, p_.alpha);
    kernels::subtract(direction.values, next.values, before.adapters.values);
  }

  void start(GlobalModel& model, Stream space) const override {
    model.adapters = Vector(sent_.of(model.weights.layout));
    if (trains_a()) draw_slices(model.adapters, Factor::kA, p_.init == "kaiming", space);
  }

  Vector merged(const GlobalModel& model, Stream space) const override {
    if (keeps_b()) return model.weights;
    return with_products(model, frozen_of(model.weights.layout, space));
  }

  Bytes personal_bytes(const Shape& prepared) const override {
    if (!keeps_b()) return Bytes(0);
    return Bytes(static_cast<std::int64_t>(4 * own_.of(prepared.layout)->size));
  }
  Vector with_personal(const Vector& received, const Shape& prepared, State& own) const override {
    if (!keeps_b()) return received;
    Vector all(trained_.of(prepared.layout));
    copy_common(received, all);
    copy_common(kept_b(own_.of(prepared.layout), own), all);
    return all;
  }
  void keep_personal(Weights& weights, State& own) const override {
    if (!keeps_b()) return;
    const Vector& all = weights.parameters();
    auto layout = std::make_shared<Layout>();
    for (const Slice& s : all.layout->slices) {
      if (s.name.ends_with(suffix_of(Factor::kB))) layout->add(s.name, s.rows, s.cols, s.order);
    }
    Vector mine{LayoutPtr(layout)};
    copy_common(all, mine);
    const auto kept = own.array<float>("lora.B", mine.values.size());
    std::copy(mine.values.begin(), mine.values.end(), kept.begin());
  }
  Vector personal_model(const GlobalModel& model, Stream space, State& own) const override {
    if (!keeps_b()) return merged(model, space);
    return with_products(model, kept_b(own_.of(model.weights.layout), own));
  }

  void cost(const Shape& prepared, const Optimizer& optimizer, Cost& cost) const override {
    add_low_rank_cost(p_, prepared, *trained_.of(prepared.layout), optimizer, cost);
  }
  bool draws() const override { return true; }
  bool trains_base() const override { return false; }
  bool sends_what_it_trains() const override { return !keeps_b(); }
  bool needs_equal_ranks() const override { return !stacks() && !replaces(); }
  bool replaces() const override {
    return p_.aggregation == "flexlora" || p_.aggregation == "hetlora" ||
           p_.aggregation == "zeropad";
  }
  bool needs_exact_download() const override { return replaces(); }
  int space_lasts() const override { return stacks() ? 1 : Parametrization::space_lasts(); }
  bool merges() const override { return stacks(); }

 private:
  bool stacks() const { return p_.aggregation == "stacking"; }
  bool trains_a() const { return p_.aggregation != "ffa"; }
  bool keeps_b() const { return p_.aggregation == "fedsa"; }
  // Zeros until the client has taken part.
  static Vector kept_b(const LayoutPtr& layout, State& own) {
    Vector b(layout);
    const auto kept = own.array<float>("lora.B", b.values.size());
    b.values.assign(kept.begin(), kept.end());
    return b;
  }
  Vector with_products(const GlobalModel& model, const Vector& others) const {
    Vector weights = model.weights;
    add_products(weights, adapters_of(*weights.layout, p_), model.adapters, others);
    return weights;
  }
  Vector frozen_of(const LayoutPtr& model, Stream space) const {
    if (trains_a()) return {};
    Vector a(drawn_.of(model));
    draw_slices(a, Factor::kA, p_.init == "kaiming", space);
    return a;
  }

  LoraParams p_;
  FactorLayouts trained_, sent_, drawn_, own_;
};

SKIFF_REGISTER(Parametrization, Lora, LoraParams,
               {.name = "lora",
                .summary = "low-rank factors beside frozen weights",
                .paper = "Hu et al. 2021, arXiv:2106.09685",
                .verified = "gradients of both factors agree with central differences through a "
                            "decoder; merged and unmerged models agree; a base is sent once; "
                            "flexlora and stacking give the mean of the products; fedsa keeps "
                            "B on the device"});

}  // namespace
}  // namespace skiff
