// Sparse-ProxSkip: Meinhardt et al. 2024, "Prune at the clients, not the server: accelerated sparse
// training in federated learning" (arXiv:2405.20623): Scaffnew (proxskip.h) whose local models are
// pruned to the K entries of greatest magnitude when they are sent. T is that pruning.
//
//   client            x^_i <- T(x^_i) before it is sent: the h_i still sum to zero
//   local             x_i <- T(x_i) after every local step as well
//   straight-through  gradients are taken at T(x_i) and applied to the dense x_i; sent as client
//   server-naive      dense x^_i up; x_i = T(mean), and h_i learns from it: the h_i drift; the
//                     paper's example of what fails, kept for comparison
//   server-modified   dense x^_i up; x_i = T(mean), but h_i learns from the dense mean
//
// The model that counts is T(mean); the server keeps both. K = floor((1 - sparsity) n) of the n
// weights, globally; slices of one column (biases, norms) are neither counted nor pruned. What was
// pruned may come back: gradients and h_i are dense, and so is the download, for the mean of sparse
// models has up to n K entries.
// Wire, client, local, straight-through: the weights by the codec top-k, the rest as float32;
// server-*: float32. No theory covers the pruning; the step and h_i are ProxSkip's.

#include <fmt/format.h>

#include "algorithms/aggregation/proxskip.h"
#include "algorithms/federated_method.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/method_steps.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

const SectionId kPruned = section_id("pruned_weights");
const SectionId kRest = section_id("unpruned_rest");
const SectionId kLocal = section_id("local_model");

enum class Prune { kClient, kEveryStep, kStraightThrough, kServerNaive, kServerModified };

struct SparseProxSkipParams {
  double sparsity = 0;
  double communication_probability = 1;
  std::string prune = "client";
};

Prune prune_of(const std::string& word) {
  if (word == "local") return Prune::kEveryStep;
  if (word == "straight-through") return Prune::kStraightThrough;
  if (word == "server-naive") return Prune::kServerNaive;
  return word == "server-modified" ? Prune::kServerModified : Prune::kClient;
}

template <class... Keys>
std::shared_ptr<const Codec> codec(const char* name, Keys... keys) {
  Node map;
  map.set(Codec::kKey, Node::scalar(name));
  (map.set(keys.first, Node::scalar(keys.second)), ...);
  return Registry<Codec>::instance().make(map);
}

// The values of the slices that are pruned, or of the others, one after the other.
bool prunable(const Slice& s) { return s.cols > 1; }
Vector part_of(const Layout& layout, std::span<const float> values, bool pruned) {
  Vector part;
  for (const Slice& s : layout.slices) {
    if (prunable(s) != pruned) continue;
    const auto piece = values.subspan(s.offset, s.size());
    part.values.insert(part.values.end(), piece.begin(), piece.end());
  }
  part.layout = flat_layout(part.values.size());
  return part;
}
void put_back(const Layout& layout, std::span<const float> part, bool pruned,
              std::span<float> values) {
  for (const Slice& s : layout.slices) {
    if (prunable(s) != pruned) continue;
    std::copy_n(part.begin(), s.size(), values.begin() + static_cast<std::ptrdiff_t>(s.offset));
    part = part.subspan(s.size());
  }
}
std::size_t size_of(const Layout& layout, bool pruned) {
  std::size_t n = 0;
  for (const Slice& s : layout.slices) n += prunable(s) == pruned ? s.size() : 0;
  return n;
}

}  // namespace

template <>
Schema<SparseProxSkipParams> schema() {
  Schema<SparseProxSkipParams> s;
  s.field("sparsity", &SparseProxSkipParams::sparsity, "share of the weights that is removed")
      .required("by sparse-proxskip; skiff has no default that changes results")
      .fraction(0, 0.999999);
  proxskip::add_probability(s, "sparse-proxskip");
  s.field("prune", &SparseProxSkipParams::prune, "where models are pruned")
      .one_of({"client", "local", "straight-through", "server-naive", "server-modified"});
  return s;
}

namespace {

class SparseProxSkip final : public FederatedMethod {
 public:
  explicit SparseProxSkip(const SparseProxSkipParams& p)
      : probability_(p.communication_probability),
        prune_(prune_of(p.prune)),
        sparse_(codec("top-k", std::pair("density", fmt::format("{}", 1 - p.sparsity)),
                      std::pair("error_feedback", std::string("false")))),
        dense_(codec("dense")) {}

  void start(const Composition& c, Server& server) const override {
    const Plan& plan = c.global();
    GlobalModel pruned = server.models[plan.model];
    prune(plan.parametrization->target(pruned));
    server.models.push_back(std::move(pruned));
  }

  Exchange exchange(const Composition& c, const Server& server, const Plan& plan, const Shape&,
                    ClientId) const override {
    const LayoutPtr layout = c.update_layout(plan);
    Exchange sizes{model_sections(c, server, plan), {}};
    if (at_server()) {
      sizes.up = {{kLocal, dense_->bytes(*layout), -1}};
      return sizes;
    }
    sizes.up = {{kPruned, sparse_->bytes(*flat_layout(size_of(*layout, true))), -1}};
    const std::size_t rest = size_of(*layout, false);
    if (rest > 0) sizes.up.push_back({kRest, dense_->bytes(*flat_layout(rest)), -1});
    return sizes;
  }

  void client(ClientContext& context) const override {
    proxskip::Shift shift(context.state(), context.received().values);
    const auto correct = [&](const Slice& slice, std::span<const float>, std::span<float> g) {
      shift.correct(slice, g);
    };
    Vector& x = context.weights().parameters();
    if (prune_ == Prune::kServerModified) prune(x);
    Vector at;
    for (std::int64_t s = 0; s < context.steps(); ++s) {
      if (prune_ == Prune::kStraightThrough) prune(at = x);
      context.gradient(s, prune_ == Prune::kStraightThrough ? &at : nullptr);
      context.step(correct);
      if (prune_ == Prune::kEveryStep) prune(x);
    }
    send(context, x);
    const std::vector<double> local(x.values.begin(), x.values.end());
    shift.close(local, probability_, context.learning_rate());
  }

  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    Server next = server;
    ++next.version;
    const Plan& plan = c.global();
    Vector& target = plan.parametrization->target(next.models[plan.model]);
    std::vector<Vector> locals;
    for (const Update& u : updates) locals.push_back(read(*c.update_layout(*u.plan), u.message));
    proxskip::round_to(proxskip::mean_of(updates, locals), next.state, target.values);
    if (prune_ == Prune::kServerNaive) prune(target);
    Vector& pruned = plan.parametrization->target(next.models.back());
    pruned.values = target.values;
    prune(pruned);
    return next;
  }

  std::vector<Predictor> predictors(const Composition& c, const Server& server) const override {
    return {{"global", c.global().model, {&server.models.back().weights}}};
  }
  std::int64_t drawn_steps(const Composition& c, std::int64_t version) const override {
    return proxskip::drawn_steps(c, probability_, version);
  }
  Bytes client_state_bytes(const Composition& c, const Plan& plan) const override {
    return proxskip::state_bytes(c.update_layout(plan)->size);
  }
  Bytes training_bytes(const Composition& c, const Plan& plan) const override {
    const auto n = static_cast<std::int64_t>(c.update_layout(plan)->size);
    const std::int64_t copy = prune_ == Prune::kStraightThrough ? 4 * n : 0;  // T(x_i)
    return client_state_bytes(c, plan) + Bytes(copy);
  }
  bool needs_everyone() const override { return true; }
  bool keeps_vectors() const override { return true; }
  bool needs_plain_sgd() const override { return true; }
  bool synchronous() const override { return true; }
  bool draws_steps() const override { return true; }
  bool needs_exact_mean() const override { return true; }
  bool applies_server_half() const override { return false; }
  bool has_own_wire() const override { return true; }

 private:
  bool at_server() const {
    return prune_ == Prune::kServerNaive || prune_ == Prune::kServerModified;
  }
  // T: what the codec would send.
  void prune(Vector& v) const {
    Vector weights = part_of(*v.layout, v.values, true);
    if (!kernels::all_finite(weights.values)) return;  // the sender reports it
    State none;
    sparse_->encode(*weights.layout, weights.values, none, Stream(0, "prune"));
    put_back(*v.layout, weights.values, true, v.values);
  }
  // Afterwards x is what the server will read.
  void send(ClientContext& context, Vector& x) const {
    if (at_server()) return context.send(kLocal, x, *dense_);
    Vector weights = part_of(*x.layout, x.values, true), rest = part_of(*x.layout, x.values, false);
    context.send(kPruned, weights, *sparse_);
    if (!rest.values.empty()) context.send(kRest, rest, *dense_);
    put_back(*x.layout, weights.values, true, x.values);
  }
  Vector read(const Layout& layout, const Message& message) const {
    Vector local;
    local.values.resize(layout.size);
    const auto decode = [&](const Codec& with, SectionId section, std::span<float> out) {
      const Payload* payload = message.find(section);
      SKIFF_CHECK(payload != nullptr, "an update without section " + section_name(section));
      with.decode(*flat_layout(out.size()), *payload, out);
    };
    if (at_server()) {
      decode(*dense_, kLocal, local.values);
      return local;
    }
    for (const bool pruned : {true, false}) {
      std::vector<float> part(size_of(layout, pruned));
      if (pruned || !part.empty())
        decode(pruned ? *sparse_ : *dense_, pruned ? kPruned : kRest, part);
      put_back(layout, part, pruned, local.values);
    }
    return local;
  }

  double probability_;
  Prune prune_;
  std::shared_ptr<const Codec> sparse_, dense_;
};

SKIFF_REGISTER(FederatedMethod, SparseProxSkip, SparseProxSkipParams,
               {.name = "sparse-proxskip",
                .summary = "scaffnew whose models are pruned before they travel",
                .paper = "Meinhardt et al. 2024, arXiv:2405.20623",
                .verified = "losses of the pruned models on mushrooms equal an independent "
                            "double-precision recursion's to 1 %; the h_i sum to zero except "
                            "with server-naive",
                .deviates = "rebuilt from the paper's text: its pseudo-code was not at hand",
                .properties = {"draws-steps", "needs-everyone"}});

}  // namespace
}  // namespace skiff
