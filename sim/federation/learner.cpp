#include "sim/federation/learner.h"

#include <algorithm>

#include "algorithms/method_steps.h"
#include "algorithms/prepare.h"
#include "sim/core/parallel.h"

namespace skiff {

Server initial_server(const FederationSetup& setup) {
  if (setup.start != nullptr) return *setup.start;
  Server server;
  for (const auto& architecture : setup.composition.models) {
    GlobalModel& model = server.models.emplace_back();
    model.weights = Vector(architecture->layout());
    architecture->initialise(model.weights,
                             Stream(setup.seed, "model.initialise", server.models.size() - 1));
  }
  const Composition& c = setup.composition;
  if (!c.plans.empty()) {
    c.adaptation(c.global(), server)
        .start(server.models[c.global().model], c.space_stream(c.global(), 0));
  }
  setup.method->start(c, server);
  return server;
}

Learner::Learner(const FederationSetup& setup)
    : setup_(setup),
      server_(std::make_shared<const Server>(initial_server(setup))),
      states_(setup.most_client_states),
      preparer_(setup),
      broadcasts_(setup.composition.plans.size()),
      scratch_(static_cast<std::size_t>(threads()) + 1) {
  for (Scratch& s : scratch_) s.weights.resize(setup.composition.plans.size());
  for (const Plan& plan : setup.composition.plans) {
    keeps_state_ =
        keeps_state_ || setup.method->keeps_by_sample() || client_state_bytes(plan) > Bytes(0);
    SKIFF_CHECK(!plan.up->size_depends_on_data(), "codecs of data-dependent size are not joined");
  }
}

Bytes Learner::client_state_bytes(const Plan& plan) const {
  const LayoutPtr layout = setup_.composition.wire_layout(plan);
  Bytes total = setup_.method->client_state_bytes(setup_.composition, plan);
  const auto sections = static_cast<std::int64_t>(
      setup_.method->exchange(setup_.composition, *server_, plan, plan.prepared, 0).up.size());
  if (plan.up->keeps_state()) total += sections * plan.up->state_bytes(*layout);
  total += plan.parametrization->personal_bytes(plan.prepared);
  if (plan.optimizer->client_state() == ClientStatePolicy::kPersistent) {
    const Parametrization& adaptation = setup_.composition.adaptation(plan, 0, {});
    total += adaptation.kept_moments(plan.prepared, *plan.optimizer);
  }
  return total;
}

std::optional<Vector> Learner::personal_model(ClientId client) const {
  std::optional<ClientState> kept = states_.find(client);
  if (!kept) return std::nullopt;
  const Composition& c = setup_.composition;
  ClientState& state = *kept;
  if (auto own = setup_.method->personal_model(c, *server_, state)) return own;
  if (state.personal.empty()) return std::nullopt;
  const Plan& plan = c.global();
  return c.adaptation(plan, *server_)
      .personal_model(server_->models[plan.model], c.space_stream(plan, server_->version),
                      state.personal);
}

Vector Learner::held(std::size_t p) {
  const Plan& plan = setup_.composition.plans[p];
  GlobalModel model;
  model.weights = decoded(*preparer_.prepared(*server_, p));
  if (plan.parametrization->trains_base()) return model.weights;
  const Parametrization& adaptation = setup_.composition.adaptation(plan, *server_);
  model.adapters = adaptation.for_client(server_->models[plan.model].adapters, nullptr);
  return adaptation.merged(model, setup_.composition.space_stream(plan, server_->version));
}

void Learner::begin_round() {
  pool_.wait();
  eager_.clear();
}

Learner::Broadcast Learner::say_to(const Assignment& task) {
  const Plan& plan = setup_.composition.plans[task.plan];
  Broadcast& kept = broadcasts_[task.plan];
  const bool same = !setup_.method->broadcast_depends_on_client();
  if (same && kept.version == server_->version) return kept;
  const Composition& composition = setup_.composition;
  auto message = std::make_shared<Message>();
  message->base = preparer_.prepared(*server_, task.plan);
  setup_.method->broadcast(composition, *server_, plan, task.device, *message);
  check_sizes(
      *message,
      setup_.method->exchange(composition, *server_, plan, plan.prepared, task.device).down);
  Broadcast said;
  const std::size_t model = setup_.method->model(composition, *server_, plan);
  said.architecture =
      model == plan.model ? &composition.architecture(plan) : composition.models[model].get();
  said.version = server_->version;
  said.adaptation = &composition.adaptation(plan, *server_);
  said.received =
      std::make_shared<const Vector>(setup_.method->received(composition, plan, *message));
  said.message = std::move(message);
  if (same) kept = said;
  return said;
}

void Learner::check_sizes(const Message& message, const std::vector<Section>& declared) const {
  std::size_t encoded = 0;
  for (const Section& section : declared) {
    if (section.name == kBaseSection) continue;  // the prepared model: its size was checked
    ++encoded;
    const Payload* payload = message.find(section.name);
    SKIFF_CHECK(payload != nullptr && payload->size() == section.bytes,
                "a section is not as long as was declared: " + section_name(section.name));
  }
  SKIFF_CHECK(message.sections.size() == encoded, "sections sent and declared differ");
}

std::unique_ptr<Learner::Job> Learner::prepare(const Assignment& task) {
  auto job = std::make_unique<Job>(Job{task, say_to(task), {}});
  if (keeps_state_) {
    if (auto kept = states_.find(task.device)) job->result.state = std::move(*kept);
    const Plan& plan = setup_.composition.plans[task.plan];
    job->result.state.enter(setup_.composition.space(plan, server_->version));
  }
  return job;
}

void Learner::run(Job& job) {
  const Assignment& task = job.task;
  if (setup_.before_job) setup_.before_job(task.device);
  const Plan& plan = setup_.composition.plans[task.plan];
  Scratch& scratch = scratch_[worker_index()];
  const Stream stream(setup_.seed, "client", task.device, task.round);
  const Parametrization& adaptation = *job.said.adaptation;
  const Vector start =
      adaptation.personal_bytes(plan.prepared) > Bytes(0)
          ? adaptation.with_personal(*job.said.received, plan.prepared, job.result.state.personal)
          : Vector();
  const Vector& received = start.layout != nullptr ? start : *job.said.received;
  const ClientContext::Job context_job{
      .composition = setup_.composition,
      .plan = plan,
      .adaptation = adaptation,
      .client = task.device,
      .round = task.base_version,
      .steps = task.steps,
      .shard = {&setup_.data->train, setup_.data->rows_of(static_cast<int>(task.device))},
      .message = *job.said.message,
      .received = received,
      .state = job.result.state,
      .stream = stream,
      .architecture = job.said.architecture};
  std::unique_ptr<Weights>& reuse = scratch.weights[task.plan];
  std::unique_ptr<Weights> weights =
      adaptation.bind(job.said.message->base, received,
                      setup_.composition.space_stream(plan, task.base_version), std::move(reuse));
  ClientContext context(context_job, *weights, scratch.workspace);
  setup_.method->client(context);
  if (start.layout != nullptr) adaptation.keep_personal(*weights, job.result.state.personal);
  job.result.train_loss = context.train_loss();
  job.result.contraction = context.contraction();
  job.result.finite = context.finite();
  job.result.upload = std::move(context.upload);
  reuse = std::move(weights);
}

void Learner::training_started(AttemptId attempt, const Assignment& task) {
  if (setup_.launch != LaunchPolicy::kEager) return;
  if (eager_.size() <= attempt) eager_.resize(attempt + 1);
  eager_[attempt] = prepare(task);
  pool_.submit([this, job = eager_[attempt].get()] { run(*job); });
}

std::vector<std::unique_ptr<Learner::Job>> Learner::compute(
    const std::vector<Attempt>& attempts, const std::vector<AttemptId>& accepted) {
  std::vector<std::unique_ptr<Job>> jobs;
  if (setup_.launch == LaunchPolicy::kEager) {
    pool_.wait();
    for (const AttemptId id : accepted) jobs.push_back(std::move(eager_[id]));
    return jobs;
  }
  for (const AttemptId id : accepted) jobs.push_back(prepare(attempts[id].task));
  const auto one = [&](std::size_t i) { run(*jobs[i]); };
  if (setup_.launch == LaunchPolicy::kSerial) {
    for (std::size_t i = 0; i < jobs.size(); ++i) one(i);
  } else {
    // Jobs of microseconds are handed out by sixteens, so that scheduling does not cost more.
    constexpr Flops kTiny{1e6};
    const bool tiny = !jobs.empty() && jobs.front()->task.flops < kTiny;
    parallel_for(jobs.size(), one, tiny ? 16 : 1);
  }
  return jobs;
}

double Learner::weight_of(const Assignment& task) const {
  return setup_.server.weighting == Weighting::kUniform ? 1 : static_cast<double>(task.samples);
}

void Learner::finish_round(std::vector<Attempt>& attempts, std::vector<AttemptId> accepted) {
  std::sort(accepted.begin(), accepted.end(), [&](AttemptId a, AttemptId b) {
    return attempts[a].task.device < attempts[b].task.device;
  });
  std::vector<std::unique_ptr<Job>> jobs = compute(attempts, accepted);
  std::vector<Update> updates;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    Attempt& attempt = attempts[accepted[i]];
    JobResult& result = jobs[i]->result;
    attempt.train_loss = result.train_loss;
    attempt.contraction = result.contraction;
    if (!result.finite) {
      attempt.cause = Cause::kNotFinite;
      continue;
    }
    SKIFF_CHECK(result.upload.bytes() == attempt.task.encoded_up || setup_.loads.upload,
                "an upload is not as long as was declared");
    if (keeps_state_) states_.put(attempt.task.device, std::move(result.state));
    updates.push_back({.client = attempt.task.device,
                       .weight = weight_of(attempt.task),
                       .staleness = server_->version - attempt.task.base_version,
                       .plan = &setup_.composition.plans[attempt.task.plan],
                       .base = server_,
                       .message = std::move(result.upload),
                       .steps = attempt.task.steps,
                       .prepared = jobs[i]->said.message->base});
  }
  if (updates.empty()) return;
  Server next = setup_.method->aggregate(setup_.composition, *server_, updates);
  enter_space(next);
  server_ = std::make_shared<const Server>(std::move(next));
}

// What a method remembers of the space before means nothing in a new one: it starts again, as the
// clients' states do.
void Learner::enter_space(Server& next) const {
  const Composition& c = setup_.composition;
  const Plan& plan = c.global();
  if (c.space(plan, next.version) == c.space(plan, server_->version)) return;
  next.state = State();
  next.models.resize(c.models.size());
  setup_.method->start(c, next);
}

}  // namespace skiff
