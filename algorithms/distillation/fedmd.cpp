// FedMD: Li and Wang 2019, "FedMD: heterogenous federated learning via model distillation"
// (arXiv:1910.03581), algorithm 1.
//
// Every client has a model of its own and never sends it; its architecture may be its tier's
// (`planner: {name: tiers, plans: {low-end: {model: ...}}}`). All know the same public samples,
// here the server's (`data.server_samples`). Before round 1 each architecture is trained on their
// labels (the paper's transfer learning; the server does it once, since clients of an architecture
// begin alike). Then, each round:
//   communicate  a client says its class scores on a random subset of the public samples
//   aggregate    the server's mean of them is the consensus
//   digest       clients train towards the consensus on that subset: `steps` batches
//   revisit      and on their own samples: training.epochs or steps
// What is said in a round is digested in the next one. The server has a model of each architecture
// that digests as clients do and has nothing to revisit: the first tier's is what test metrics
// measure, the others are recorded by tier; client_accuracy_mean measures the clients' own, on data
// whose users have test samples.
// What differs from the authors' code: digesting takes the squared difference of logits, theirs the
// absolute one.
// Cost: the first model and the public samples once down; 16 bytes and the consensus down, scores
// up, 4 bytes a sample and class; the client's model in flash.

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "algorithms/distillation/table_loss.h"
#include "algorithms/distillation/teaching.h"
#include "algorithms/kernels/logit_losses.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/method_steps.h"
#include "algorithms/prepare.h"
#include "sim/core/distributions.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct FedMdParams {
  int steps = 0, batch = 32, samples = 0, pretrain_epochs = 10;
};

}  // namespace

template <>
Schema<FedMdParams> schema() {
  Schema<FedMdParams> s;
  s.field("steps", &FedMdParams::steps, "batches of the consensus that a client digests each round")
      .required()
      .at_least(1);
  s.field("batch", &FedMdParams::batch, "of public samples").at_least(1);
  s.field("samples", &FedMdParams::samples,
          "public samples a round that scores are said of; 0: all")
      .at_least(0);
  s.field("pretrain_epochs", &FedMdParams::pretrain_epochs, "on the public labels, before round 1")
      .at_least(0);
  return s;
}

namespace {

using Rows = std::vector<std::uint32_t>;
const SectionId kScores = section_id("scores");
constexpr std::size_t kSeeds = 2 * sizeof(std::uint64_t);
constexpr const char* kModel = "fedmd.model";
constexpr const char* kWhich = "fedmd.architecture";
constexpr const char* kConsensus = "fedmd.consensus";

// The squared difference from the consensus.
class Consensus final : public distillation::TableLoss {
 public:
  using TableLoss::TableLoss;
  double operator()(kernels::MatrixView z) const override {
    const double share = 1.0 / z.rows;
    return share * kernels::logits_mse(z, z, target(), share);
  }
};

class FedMd final : public Distillation {
 public:
  explicit FedMd(const FedMdParams& params) : p_(params) {}

  void join(Composition& c) const override {
    distillation::require_teachable(c, "fedmd");
    const TaskShape& task = c.models.front()->task();
    if (task.kind != TaskKind::kClassification || task.is_text()) {
      throw std::invalid_argument("fedmd averages scores of classes, not of text");
    }
    if (c.server_samples == nullptr || c.server_samples->rows() == 0) {
      throw std::invalid_argument("fedmd needs public samples; write data.server_samples");
    }
    if (p_.samples > c.server_samples->rows()) {
      throw std::invalid_argument("fedmd's samples are more than data.server_samples");
    }
  }
  void start(const Composition& c, Server& server) const override {
    Node adam;
    adam.set("name", Node::scalar("adamw"));
    adam.set("learning_rate", Node::scalar("0.001"));
    for (const std::size_t m : distillation::trained_models(c)) {
      std::vector<float>& first = server.models[m].weights.values;
      distillation::train_on(*c.models[m], *c.server_samples, p_.pretrain_epochs, p_.batch,
                             *Registry<Optimizer>::instance().make(adam),
                             Stream(c.seed, "distillation.fedmd.public"), server.models[m].weights);
      const std::span<float> kept = server.state.array<float>(first_of(m), first.size());
      std::copy(first.begin(), first.end(), kept.begin());
    }
  }

  Exchange exchange(const Composition& c, const Server& server, const Plan& plan, const Shape&,
                    ClientId) const override {
    const Bytes scores = scores_of(c);
    const Bytes heard = Bytes(kSeeds) + (server.version > 0 ? scores : Bytes(0));
    const Bytes first = plan.down->bytes(*c.update_layout(plan)) + public_bytes(c);
    return {{{kModelSection, first, 0}, {kScores, heard, -1}}, {{kScores, scores, -1}}};
  }
  void broadcast(const Composition& c, const Server& server, const Plan& plan, ClientId,
                 Message& message) const override {
    State state = server.state;
    Vector first(c.update_layout(plan));
    const std::span<const float> kept =
        state.array<float>(first_of(plan.model), first.values.size());
    first.values.assign(kept.begin(), kept.end());
    say(c, server, plan, kModelSection, std::move(first), message);
    std::vector<std::byte>& said = message.sections.back().second.bytes;
    const Samples& open = *c.server_samples;
    for (int i = 0; i < open.rows(); ++i) {
      const auto* bytes = reinterpret_cast<const std::byte*>(open.row(i));
      said.insert(said.end(), bytes, bytes + 4 * open.width);
    }
    Payload scores;
    scores.bytes.resize(kSeeds);
    const std::uint64_t seeds[2] = {seed_of(c, server.version - 1), seed_of(c, server.version)};
    std::memcpy(scores.bytes.data(), seeds, kSeeds);
    if (server.version > 0) {
      const std::span<const float> mean = state.array<float>(kConsensus, values_of(c));
      const auto* bytes = reinterpret_cast<const std::byte*>(mean.data());
      scores.bytes.insert(scores.bytes.end(), bytes, bytes + mean.size_bytes());
    }
    message.sections.emplace_back(kScores, std::move(scores));
  }
  Vector received(const Composition& c, const Plan& plan, const Message& message) const override {
    const Payload& all = *message.find(kModelSection);
    const auto cut = all.bytes.end() - public_bytes(c).value();
    return decode_wire(*plan.down, c, plan, nullptr, c.update_layout(plan),
                       {{all.bytes.begin(), cut}});
  }
  void client(ClientContext& context) const override;
  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override;
  std::optional<Vector> personal_model(const Composition& c, const Server&,
                                       ClientState& state) const override {
    if (!state.method.has(kModel)) return std::nullopt;
    const auto model = static_cast<std::size_t>(state.method.array<std::uint32_t>(kWhich, 1)[0]);
    Vector own(c.models[model]->layout());
    const std::span<const float> kept = state.method.array<float>(kModel, own.values.size());
    own.values.assign(kept.begin(), kept.end());
    return own;
  }

  Bytes client_state_bytes(const Composition& c, const Plan& plan) const override {
    return Bytes(
        static_cast<std::int64_t>(4 * c.update_layout(plan)->size + sizeof(std::uint32_t)));
  }
  std::optional<Cost> phase_cost(const Composition& c, const Server& server, const Plan& plan,
                                 std::int64_t samples, std::int64_t steps) const override {
    const Architecture& model = c.architecture(plan);
    Cost cost = client_cost(c, plan, plan.prepared, samples, steps);
    Plan digests = plan;
    digests.work.batch = p_.batch;
    const Cost digest = client_cost(c, digests, plan.prepared, count_of(c), p_.steps);
    const Cost says = distillation::answering_cost(model, count_of(c));
    const bool hears = server.version > 0;
    cost.fp32 += says.fp32 + (hears ? digest.fp32 : Flops(0));
    cost.dram += says.dram + (hears ? digest.dram : Bytes(0));
    cost.steps += hears ? p_.steps : 0;
    if (hears && digest.memory.total() > cost.memory.total()) cost.memory = digest.memory;
    cost.memory.scratch += public_bytes(c) + scores_of(c) + scores_of(c);
    cost.storage = public_bytes(c);
    return cost;
  }
  bool synchronous() const override { return true; }
  bool says_model_itself() const override { return true; }
  bool has_own_wire() const override { return true; }
  bool mixes_models() const override { return true; }

 private:
  static std::string first_of(std::size_t model) { return "fedmd.first." + std::to_string(model); }
  std::int64_t count_of(const Composition& c) const {
    return p_.samples > 0 ? p_.samples : c.server_samples->rows();
  }
  std::size_t values_of(const Composition& c) const {
    const int classes = outputs_of(c.models.front()->task());
    return static_cast<std::size_t>(count_of(c)) * static_cast<std::size_t>(classes);
  }
  Bytes scores_of(const Composition& c) const {
    return Bytes(static_cast<std::int64_t>(4 * values_of(c)));
  }
  static Bytes public_bytes(const Composition& c) {
    const Samples& open = *c.server_samples;
    return Bytes(4 * static_cast<std::int64_t>(open.rows()) *
                 static_cast<std::int64_t>(open.width));
  }
  static std::uint64_t seed_of(const Composition& c, std::int64_t round) {
    return Stream(c.seed, "distillation.fedmd.subset", static_cast<std::uint64_t>(round)).bits64();
  }
  Rows subset(const Composition& c, std::uint64_t seed) const {
    Rows rows(static_cast<std::size_t>(c.server_samples->rows()));
    std::iota(rows.begin(), rows.end(), 0U);
    Stream stream(seed, "rows");
    shuffle(stream, std::span(rows));
    rows.resize(static_cast<std::size_t>(count_of(c)));
    return rows;
  }
  void digest(const Composition& c, const Architecture& model, const Rows& rows,
              std::span<const float> consensus, const Optimizer& optimizer, double learning_rate,
              Stream stream, Vector& weights) const;

  FedMdParams p_;
};

void FedMd::digest(const Composition& c, const Architecture& model, const Rows& rows,
                   std::span<const float> consensus, const Optimizer& optimizer,
                   double learning_rate, Stream stream, Vector& weights) const {
  Consensus loss(consensus, outputs_of(model.task()));
  distillation::teach(
      model, *c.server_samples, rows, {p_.steps, p_.batch, 0, [&](int) { return learning_rate; }},
      [&](std::span<const std::size_t> places) -> const LogitLoss& { return loss.at(places); },
      optimizer, std::move(stream), weights);
}

void FedMd::client(ClientContext& context) const {
  const Composition& c = context.composition();
  const Architecture& model = c.architecture(context.plan());
  Vector& weights = context.weights().parameters();
  const bool begun = context.state().has(kModel);
  const std::span<float> own = context.state().array<float>(kModel, weights.values.size());
  if (begun) std::copy(own.begin(), own.end(), weights.values.begin());
  const std::vector<std::byte>& heard = context.message().find(kScores)->bytes;
  std::uint64_t seeds[2];
  std::memcpy(seeds, heard.data(), kSeeds);
  if (heard.size() > kSeeds) {
    std::vector<float> consensus((heard.size() - kSeeds) / sizeof(float));
    std::memcpy(consensus.data(), heard.data() + kSeeds, heard.size() - kSeeds);
    digest(c, model, subset(c, seeds[0]), consensus, *context.plan().optimizer,
           context.learning_rate(), context.stream("digest"), weights);
  }
  context.train();
  std::copy(weights.values.begin(), weights.values.end(), own.begin());
  context.state().array<std::uint32_t>(kWhich, 1)[0] =
      static_cast<std::uint32_t>(context.plan().model);
  const std::vector<float> scores =
      distillation::answers(model, weights, *c.server_samples, subset(c, seeds[1]), false);
  Payload said;
  said.bytes.resize(scores.size() * sizeof(float));
  std::memcpy(said.bytes.data(), scores.data(), said.bytes.size());
  context.send_bytes(kScores, std::move(said));
}

Server FedMd::aggregate(const Composition& c, const Server& server,
                        std::span<const Update> updates) const {
  Server next = server;
  ++next.version;
  std::vector<double> sum(values_of(c));
  std::vector<float> scores(sum.size());
  for (const Update& u : updates) {
    const Payload& said = *u.message.find(kScores);
    std::memcpy(scores.data(), said.bytes.data(), said.bytes.size());
    kernels::axpy(sum, 1.0 / static_cast<double>(updates.size()), scores);
  }
  const std::span<float> mean = next.state.array<float>(kConsensus, sum.size());
  std::transform(sum.begin(), sum.end(), mean.begin(),
                 [](double x) { return static_cast<float>(x); });
  const Optimizer& optimizer = *c.global().optimizer;
  for (const std::size_t m : distillation::trained_models(c)) {
    digest(c, *c.models[m], subset(c, seed_of(c, server.version)), mean, optimizer,
           optimizer.learning_rate(server.version, c.horizon),
           Stream(c.seed, "distillation.fedmd.server", static_cast<std::uint64_t>(next.version)),
           next.models[m].weights);
  }
  return next;
}

SKIFF_REGISTER(Distillation, FedMd, FedMdParams,
               {.name = "fedmd",
                .summary = "clients agree on scores of public samples",
                .paper = "Li and Wang 2019, arXiv:1910.03581",
                .verified = "clients that do not train stay where they are; digesting alone brings "
                            "clients to their consensus; models never travel up",
                .deviates = "squared instead of absolute differences of logits",
                .properties = {"synchronous"}});

}  // namespace
}  // namespace skiff
