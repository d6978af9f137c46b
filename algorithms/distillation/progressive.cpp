// B-DISTIL, `progressive`: Dennis et al. 2023, "Progressive ensemble distillation: building
// ensembles for efficient inference" (NeurIPS; arXiv:2302.10093), played by clients that keep their
// samples. game.h has the game and its certificate, progressive.h the kinds of round.
//
// The server trains a teacher g on its own samples. Each client downloads it once and keeps what it
// answers on the client's samples. Then members are added: each is
// trained by FedAvg on the weighted regression of game.h, asked for its edges, and, if none is
// negative, taken: everybody's gaps move by its residuals and the normalisers are exchanged. After
// `attempts` failures the next model of `larger` is tried, and after the last the best of them is
// taken, weak or not. Any prefix of the members is a model (scope prefix:<m>); a tier keeps the
// prefix that `stored` gives it. With one client this is the central algorithm bit by bit; with
// many the gaps are, given the same members. The certificate is asserted at every member taken, as
// long as every client has answered every round.
// What differs from the paper, or is our choice: capacity grows by larger models and not by reusing
// the activations of earlier members; the search minimises a weighted regression unless `loss` says
// the paper's log-barrier (member_loss.h); G is 1.5 times the first member's largest residual
// unless `range` says it, and residuals beyond it are clipped; eta G is at most 1. Cost: the
// teacher once down and through every sample once; a member rounds_per_member times down and up and
// once more down; twice through every sample; 12 bytes a sample and output in flash.

#include <algorithm>
#include <stdexcept>

#include "algorithms/distillation/progressive_method.h"
#include "algorithms/method_steps.h"
#include "algorithms/prepare.h"
#include "sim/core/registry.h"

namespace skiff {

using distillation::Progressive;
using distillation::ProgressiveParams;

template <>
Schema<ProgressiveParams> schema() {
  using P = distillation::ProgressiveParams;
  Schema<P> s;
  s.field("members", &P::members, "students of the ensemble").required().in(1, 64);
  s.field("teacher", &P::teacher, "a map like model: what the students learn to answer")
      .required()
      .choice(ModelFamily::kRole, distillation::teacher_fields());
  s.field("loss", &P::loss, "what a member minimises")
      .one_of({"regression", "log-barrier", "edge-hinge"});
  s.field("rounds_per_member", &P::rounds_per_member, "rounds in which a candidate is trained")
      .at_least(1);
  s.field("attempts", &P::attempts, "candidates of one size before a larger one is tried")
      .at_least(1);
  s.field("larger", &P::larger,
          "models after the scenario's own, each tried when the one before it fails, such as "
          "[{architecture: mlp, hidden: [64]}]");
  s.field("grow", &P::grow, "when the next size comes: after failures only, or with every member")
      .one_of({"failure", "every-member"});
  s.field("start", &P::start, "a member's first weights: drawn, or those of the one before it")
      .one_of({"fresh", "previous"});
  s.field("boost", &P::boost,
          "false: no game; every member learns the teacher alike, and their mean is bagging");
  s.field("push", &P::push,
          "of regression: logits by which the targets lean towards what is still missing")
      .at_least(0);
  s.field("range", &P::range,
          "the largest residual, in logits; unless written 1.5 times the first member's")
      .above(0);
  s.field("stored", &P::stored, "by tier: members that its devices keep; a tier unnamed keeps all")
      .at_least(0);
  return s;
}

namespace distillation {

void Progressive::join(Composition& c) const {
  require_teachable(c, "progressive");
  if (std::find(c.heuristic.begin(), c.heuristic.end(), "participation") != c.heuristic.end()) {
    throw std::invalid_argument(
        "progressive counts every client's answers, and one that missed the teacher has nothing to "
        "learn: it has no form for participants: remove participation from training.heuristic");
  }
  const TaskShape& task = c.models.front()->task();
  if (task.is_text()) throw std::invalid_argument("progressive teaches classifiers, not of text");
  for (const auto& larger : p_.larger) {
    c.models.push_back(larger.object->build(task));
    if (c.models.back()->learns_logits()) continue;
    throw std::invalid_argument("progressive teaches logits, and " + larger.name +
                                " learns labels alone");
  }
  c.models.push_back(p_.teacher.model.object->build(task));
  if (c.server_samples == nullptr || c.server_samples->rows() == 0) {
    throw std::invalid_argument(
        "progressive trains its teacher on the server's samples; write data.server_samples");
  }
  for (const auto& [tier, members] : p_.stored) {
    if (std::any_of(c.plans.begin(), c.plans.end(),
                    [&, name = tier](const Plan& plan) { return plan.name == name; })) {
      continue;
    }
    throw std::invalid_argument("progressive: stored names " + tier +
                                ", which no tier of the plans is called");
  }
}

void Progressive::start(const Composition& c, Server& server) const {
  const Stream stream(c.seed, "distillation.teacher");
  train_on(*c.models[teacher()], *c.server_samples, p_.teacher.pretrain_epochs, p_.teacher.batch,
           *Registry<Optimizer>::instance().make(p_.teacher.optimizer), stream,
           server.models[teacher()].weights);
  server.models.resize(taken(0));
  Game game;
  game.second = game.edge = std::vector<double>(outputs(c));
  game.answer = {game.second, game.edge, 0, 0};
  game.all = Normaliser::start(0, outputs(c));
  game.save(server.state);
}

Exchange Progressive::exchange(const Composition& c, const Server& server, const Plan& plan,
                               const Shape&, ClientId) const {
  const Game game = Game::load(server, outputs(c));
  if (game.at.phase == Phase::kDone) return {};
  const auto raw = [](std::size_t numbers) {
    return Section{kGameSection, Bytes(static_cast<std::int64_t>(numbers * sizeof(double)))};
  };
  const Layout& layout = *c.models[model_of(game)]->layout();
  Exchange e;
  e.down = {{kModelSection, plan.down->bytes(layout), game.at.key}, raw(Said::count(outputs(c)))};
  switch (game.at.phase) {
    case Phase::kTeach:
      e.up = {raw(1)};
      break;
    case Phase::kTrain:
      e.up = {{kUpdateSection, plan.up->in_round(c.seed, server.version).bytes(layout), -1}};
      break;
    case Phase::kEdge:
      e.up = {raw(2 * outputs(c) + 2)};
      break;
    default:
      e.up = {raw(3 * outputs(c))};
  }
  return e;
}

void Progressive::broadcast(const Composition& c, const Server& server, const Plan& plan, ClientId,
                            Message& message) const {
  const Game game = Game::load(server, outputs(c));
  if (game.at.phase == Phase::kDone) return;
  say(c, server, plan, kModelSection, server.models[model_of(game)].weights, message);
  const Said said{.phase = game.at.phase,
                  .model = model_of(game),
                  .samples = game.at.samples,
                  .eta = game.at.eta,
                  .limit = game.at.limit,
                  .all = game.all};
  message.sections.emplace_back(kGameSection, packed(said.numbers()));
}

Vector Progressive::received(const Composition& c, const Plan& plan, const Message& message) const {
  const Payload* payload = message.find(kModelSection);
  if (payload == nullptr) return Vector(c.models[plan.model]->layout());
  const std::size_t model = Said::read(message).model;
  return decode_wire(*plan.down, c, plan, nullptr, c.models[model]->layout(), *payload);
}

std::vector<Predictor> Progressive::predictors(const Composition& c, const Server& server) const {
  const Game game = Game::load(server, outputs(c));
  std::vector<Predictor> all{{"global", 0, {}, {}}};
  Predictor prefix{"", 0, {}, {}};
  for (std::size_t m = 0; m < game.sizes.size(); ++m) {
    prefix.scope = "prefix:" + std::to_string(m + 1);
    prefix.members.push_back(borrowed(server.models[taken(m)].weights));
    prefix.models.push_back(static_cast<std::size_t>(game.sizes[m]));
    all.push_back(prefix);
  }
  all[0].members = prefix.members;
  all[0].models = prefix.models;
  if (prefix.members.empty()) {
    const auto size = static_cast<std::size_t>(game.at.size);
    all[0].members = {borrowed(server.models[size].weights)};
    all[0].models = {size};
  }
  return all;
}

std::optional<Cost> Progressive::phase_cost(const Composition& c, const Server& server,
                                            const Plan& plan, std::int64_t samples,
                                            std::int64_t steps) const {
  const Game game = Game::load(server, outputs(c));
  const std::size_t model = model_of(game);
  const Bytes kept = samples * kept_by_sample(outputs(c));
  Cost cost;
  if (game.at.phase == Phase::kTrain) {
    Plan acting = plan;
    acting.model = model;
    acting.prepared = Shape{c.models[model]->layout(),
                            Bytes(static_cast<std::int64_t>(4 * c.models[model]->layout()->size))};
    cost = client_cost(c, acting, acting.prepared, samples, steps);
  } else if (game.at.phase != Phase::kDone) {
    cost = answering_cost(*c.models[model], samples);
  }
  // Beside what is kept: by entry a weight and a target, or an answer and a residual, in double.
  const auto entries = samples * static_cast<std::int64_t>(outputs(c));
  if (game.at.phase != Phase::kDone) cost.memory.scratch += kept + Bytes(16 * entries);
  cost.storage = kept + kept;  // the old and the new, while an attempt is under way
  auto prefix = static_cast<std::size_t>(p_.members);
  for (const auto& [tier, members] : p_.stored) {
    if (tier == plan.name) prefix = static_cast<std::size_t>(members);
  }
  for (std::size_t m = 0; m < std::min(prefix, game.sizes.size()); ++m) {
    const Layout& layout = *c.models[static_cast<std::size_t>(game.sizes[m])]->layout();
    cost.storage += plan.down->bytes(layout);
  }
  return cost;
}

}  // namespace distillation

SKIFF_REGISTER(
    Distillation, Progressive, ProgressiveParams,
    {.name = "progressive",
     .summary = "small students boosted one after another",
     .paper = "Dennis et al. 2023, arXiv:2302.10093",
     .verified = "the game's figures on a grid; its certificate at every member; one "
                 "client is the central algorithm bit by bit, several have its gaps",
     .deviates = "capacity grows by larger models, not by reusing activations; a "
                 "weighted regression unless loss says log-barrier or edge-hinge (ours); "
                 "no game on public data: every client runs the teacher once",
     .properties = {"needs-everyone", "synchronous"}});

}  // namespace skiff
