// FedP3: Yi et al. 2024, "FedP3: federated personalized and privacy-friendly network pruning under
// model heterogeneity" (ICLR; arXiv:2404.09816).
//
//   client i is given layers L_i:  it receives W_l, l in L_i, as they are, and P_i W_l of the
//   others it trains the whole personalised model, pruned by Q_i, and answers with W_l, l in L_i,
//   alone server:  W_l <- mean of the answers of those who were given l; what nobody was given
//   stays
//
// layers: lower-b gives one layer, opu-2 and opu-3 two and three that follow each other
// (layer_groups.h), all every one; by-sparsity, ours: three to a plan of sparsity up to 0.45, two
// up to 0.75, one beyond. P_i keeps floor((1 - sparsity) n) weights of greatest magnitude in each
// matrix; biases are sent whole. A tier's plan may say the sparsity. What P_i took out may grow
// again: training is dense, as in the authors' code. Q_i, local_pruning, anew every step:
//   uniform  a random share of the weights, drawn from U[local_keep, 1], is trained in each matrix
//   ordered  the leading rows and columns of each matrix, a share of local_keep of each
// The head (last layer) never goes down and always goes up: each client keeps its own, and the
// server's mean of them is only evaluated. head: shared makes it a layer of everybody's.
// aggregation: mean by Update::weight; by-layers, the same times |L_i|, both over their sum.
// Privacy: what is not in L_i never leaves the device. clip and noise: each sample's gradient is
// scaled to a norm of at most clip, and normal noise of deviation noise x clip / batch is added to
// the mean of every step (LDP-FedP3).
// Wire, float32; a pruned matrix as in sparse_wire.h. First comes "assignment": 8 bytes, the seed
// that the first head is drawn from, and a bit a layer. State: "fedp3.head", float32.
#include "algorithms/aggregation/fedp3.h"

#include <algorithm>

#include "algorithms/kernels/reduce.h"
#include "algorithms/method_steps.h"
#include "sim/core/registry.h"

namespace skiff {

template <>
Schema<FedP3Params> schema() {
  using P = FedP3Params;
  Schema<P> s;
  s.field("layers", &P::layers, "layers that a client trains for the server")
      .one_of({"lower-b", "opu-2", "opu-3", "all", "by-sparsity"})
      .required("by fedp3; skiff has no default that changes results");
  s.field("share", &P::share, "what goes up: the layers, or (ours) masks of frozen weights")
      .one_of({"assigned-layers", "mask-only"});
  s.field("sparsity", &P::sparsity,
          "share pruned from what a client is not given, or left out by its masks")
      .fraction(0, 0.999999);
  s.field("local_pruning", &P::local_pruning, "what each local step leaves out")
      .one_of({"none", "uniform", "ordered"});
  s.field("local_keep", &P::local_keep, "least share that a pruned local step trains")
      .fraction()
      .above(0);
  s.field("aggregation", &P::aggregation, "a layer's mean: plain, or by the number of layers held")
      .one_of({"mean", "by-layers"});
  s.field("head", &P::head, "the last layer: each client's own, or everybody's")
      .one_of({"personal", "shared"});
  s.field("clip", &P::clip, "largest norm of a sample's gradient").above(0).or_word("none");
  s.field("noise", &P::noise, "deviation of the noise, in clips").at_least(0);
  s.check([](const FedP3Params& p, const Node& map, Reader& reader) {
    const auto blame = [&](const char* key, const char* why) {
      const Node* found = map.find(key);
      const Reader::Scope scope(reader, key);
      reader.problem(found != nullptr ? found->where : map.where, why);
    };
    if (p.noise > 0 && !p.clip)
      blame("noise", "noise hides gradients of known size only: add clip");
    if (p.share != "mask-only") return;
    for (const char* key :
         {"local_pruning", "local_keep", "aggregation", "head", "clip", "noise"}) {
      if (map.find(key) != nullptr) blame(key, "only where layers are shared: remove it");
    }
  });
  return s;
}

namespace {

class FedP3 final : public FederatedMethod {
 public:
  explicit FedP3(const FedP3Params& p) : p_(p), wire_(p), masks_(p) {}

  void start(const Composition& c, Server& server) const override {
    if (only_masks()) masks_.start(c, server);
  }
  Exchange exchange(const Composition& c, const Server&, const Plan& plan, const Shape&,
                    ClientId client) const override {
    return only_masks() ? masks_.exchange(c, plan, client) : wire_.exchange(c, plan, client);
  }
  void broadcast(const Composition& c, const Server& server, const Plan& plan, ClientId client,
                 Message& message) const override {
    if (only_masks()) return masks_.broadcast(c, server, plan, message);
    wire_.broadcast(c, server, plan, client, message);
  }
  // A personal head is not in it: zeros.
  Vector received(const Composition& c, const Plan& plan, const Message& message) const override {
    return only_masks() ? masks_.received(c, plan, message) : wire_.received(c, plan, message);
  }
  bool broadcast_depends_on_client() const override { return true; }

  void client(ClientContext& context) const override {
    if (only_masks()) return masks_.client(context);
    Vector start = context.received();
    const auto groups = layer_groups(*start.layout);
    const auto given = wire_.given_by(context.message(), groups.size());
    const auto head = only_head(groups);
    if (personal()) scattered(own_head(context, groups.back().size), groups, head, start);
    Vector& x = context.weights().parameters();
    x.values = start.values;
    train_fedp3(p_, context, groups.back());
    Vector change(start.layout);
    kernels::subtract(change.values, x.values, start.values);
    const Vector mine = gathered(x, groups, head);
    wire_.answer(context, groups, given, change, personal() ? &mine : nullptr);
    if (!personal()) return;
    const auto kept = context.state().array<float>("fedp3.head", mine.values.size());
    std::copy(mine.values.begin(), mine.values.end(), kept.begin());
  }

  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    if (only_masks()) return masks_.aggregate(c, server, updates);
    const Vector& model = server.models[c.global().model].weights;
    const auto groups = layer_groups(*model.layout);
    std::vector<double> total(groups.size()), sum(model.values.size());
    for (const Update& u : updates) {
      const auto given = given_to(p_, c, *u.plan, groups, u.client);
      for (std::size_t l = 0; l < groups.size(); ++l) total[l] += given[l] * weight(u, given);
    }
    for (const Update& u : updates) {
      const auto given = given_to(p_, c, *u.plan, groups, u.client);
      const Vector change = wire_.answered(u, groups, given, model);
      for (std::size_t l = 0; l < groups.size(); ++l) {
        if (given[l] == 0) continue;
        for (const std::size_t t : groups[l].slices) {
          const Slice& s = model.layout->slices[t];
          kernels::axpy(std::span(sum).subspan(s.offset, s.size()), weight(u, given) / total[l],
                        std::span(change.values).subspan(s.offset, s.size()));
        }
      }
    }
    Vector direction(model.layout);
    for (std::size_t j = 0; j < sum.size(); ++j) direction.values[j] = static_cast<float>(sum[j]);
    return advance(c, server, direction);
  }

  std::vector<Predictor> predictors(const Composition& c, const Server& server) const override {
    if (only_masks()) return masks_.predictors(c, server);
    return FederatedMethod::predictors(c, server);
  }
  // The server's layers below the client's own head.
  std::optional<Vector> personal_model(const Composition& c, const Server& server,
                                       ClientState& state) const override {
    if (only_masks() || !personal() || !state.method.has("fedp3.head")) return std::nullopt;
    Vector model = server.models[c.global().model].weights;
    const auto groups = layer_groups(*model.layout);
    Vector own(flat_layout(groups.back().size));
    const auto kept = state.method.array<float>("fedp3.head", own.values.size());
    own.values.assign(kept.begin(), kept.end());
    scattered(own, groups, only_head(groups), model);
    return model;
  }

  Bytes client_state_bytes(const Composition& c, const Plan& plan) const override {
    if (only_masks() || !personal()) return Bytes(0);
    return Bytes(static_cast<std::int64_t>(4 * layer_groups(*c.update_layout(plan)).back().size));
  }
  Bytes training_bytes(const Composition& c, const Plan& plan) const override {
    const auto n = static_cast<std::int64_t>(4 * c.update_layout(plan)->size);
    if (only_masks()) return Bytes(2 * n);  // frozen weights, masked weights
    // A masked copy and its mask; a sum over samples in double.
    return Bytes((p_.local_pruning != "none" ? n + n / 4 : 0) + (p_.clip ? 2 * n : 0));
  }
  bool keeps_frozen_model() const override { return only_masks(); }
  bool has_own_wire() const override { return true; }
  bool reads_gradient() const override { return true; }
  bool says_model_itself() const override { return true; }
  bool applies_server_half() const override { return false; }

 private:
  bool only_masks() const { return p_.share == "mask-only"; }
  bool personal() const { return p_.head == "personal"; }
  static std::vector<std::uint8_t> only_head(const std::vector<LayerGroup>& groups) {
    std::vector<std::uint8_t> head(groups.size(), 0);
    head.back() = 1;
    return head;
  }
  double weight(const Update& u, const std::vector<std::uint8_t>& given) const {
    if (p_.aggregation == "mean") return u.weight;
    return u.weight * static_cast<double>(std::count(given.begin(), given.end(), 1));
  }
  // The one that it keeps, or what the initial model's is.
  static Vector own_head(ClientContext& context, std::size_t size) {
    Vector head(flat_layout(size));
    if (context.state().has("fedp3.head")) {
      const auto kept = context.state().array<float>("fedp3.head", size);
      head.values.assign(kept.begin(), kept.end());
      return head;
    }
    const Vector model = initial_model(context);
    std::copy(model.values.end() - static_cast<std::ptrdiff_t>(size), model.values.end(),
              head.values.begin());
    return head;
  }

  FedP3Params p_;
  FedP3Wire wire_;
  MaskSharing masks_;
};

SKIFF_REGISTER(FederatedMethod, FedP3, FedP3Params,
               {.name = "fedp3",
                .summary = "clients train layers of their own, pruned",
                .paper = "Yi et al. 2024, arXiv:2404.09816",
                .verified = "shares of a LeNet that go up under each assignment; with all layers, "
                            "nothing pruned and a shared head it is FedAvg, bit for bit; layers "
                            "that nobody was given do not move",
                .deviates = "a layer's mean is divided by the sum of its weights, which the "
                            "authors' code does not do; share: mask-only is ours: their clients "
                            "send layers, never masks",
                .properties = {"obeys-sparsity"}});

}  // namespace
}  // namespace skiff
