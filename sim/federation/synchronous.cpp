#include "sim/federation/synchronous.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "algorithms/kernels/reduce.h"
#include "algorithms/prepare.h"
#include "sim/core/distributions.h"
#include "sim/core/metrics.h"
#include "sim/federation/events.h"

namespace skiff {

SynchronousServer::SynchronousServer(Engine& engine, const FederationSetup& setup, Learner* learner,
                                     const Evaluator* evaluator, Recorder& recorder,
                                     std::function<void(RoundRow&)> on_round)
    : engine_(engine),
      setup_(setup),
      learner_(learner),
      evaluator_(evaluator),
      recorder_(recorder),
      on_round_(std::move(on_round)),
      jobs_(engine, setup, *this),
      assigner_(setup) {
  for (const Plan& plan : setup.charged().plans) {
    plan_storage_.push_back(storage_of(setup.charged(), plan));
  }
  engine.on<&SynchronousServer::on_round_start>(events::kRoundStart, *this, "round-start");
  engine.on<&SynchronousServer::on_check_in>(events::kCheckIn, *this, "check-in");
  engine.on<&SynchronousServer::on_select_timeout>(events::kSelectTimeout, *this, "select-timeout");
  engine.on<&SynchronousServer::on_deadline>(events::kDeadline, *this, "deadline");
}

void SynchronousServer::start() {
  engine_.schedule(engine_.now(), Priority::kServerProtocol, events::kRoundStart, 0,
                   setup_.server.delivers_only() ? 0 : 1);
}

void SynchronousServer::on_round_start(const Event& event) {
  round_ = event.arg;
  open_ = true;
  jobs_.clear();
  accepted_.clear();
  refused_.clear();
  waiting_.clear();
  next_waiting_ = 0;
  invited_ = running_ = 0;
  row_ = {};
  row_.round = round_;
  if (learner_ != nullptr) learner_->begin_round();
  const auto clients = static_cast<std::size_t>(setup_.composition.clients);
  wanted_ = std::min(clients, static_cast<std::size_t>(
                                  std::ceil(setup_.server.over_selection *
                                            static_cast<double>(setup_.server.participants))));
  if (setup_.server.deadline) {
    deadline_ = engine_.schedule(engine_.after(*setup_.server.deadline), Priority::kDeadline,
                                 events::kDeadline, 0, round_);
  }
  select();
  await_next_check_in();
  close_if_nobody_is_left();
}

void SynchronousServer::select() {
  const auto clients = static_cast<std::uint32_t>(setup_.composition.clients);
  drawn_in_.resize(clients, ~0U);
  Stream stream(setup_.seed, "client.sampling", round_);
  std::uint32_t drawn = 0;
  // Rejection sampling costs nothing while most are undrawn; after that, the rest is shuffled.
  while (invited_ < wanted_ && drawn < clients / 2) {
    const std::uint32_t device = stream.below(clients);
    if (drawn_in_[device] == round_) continue;
    drawn_in_[device] = round_;
    ++drawn;
    consider(device);
  }
  if (invited_ >= wanted_) return;
  std::vector<std::uint32_t> rest;
  for (std::uint32_t d = 0; d < clients; ++d) {
    if (drawn_in_[d] != round_) rest.push_back(d);
  }
  shuffle(stream, std::span(rest));
  for (const std::uint32_t device : rest) {
    if (invited_ >= wanted_) return;
    drawn_in_[device] = round_;
    consider(device);
  }
}

void SynchronousServer::consider(std::uint32_t device) {
  const bool idle = setup_.data->samples_of(static_cast<int>(device)) == 0;
  if (idle && !setup_.server.delivers_only()) return;  // nothing to train on
  const Availability::Answer online =
      setup_.devices.availability->at(setup_.seed, device, engine_.now());
  if (!online.online) {
    waiting_.push_back({online.until, device});
    return;
  }
  DeviceRecord& record = jobs_.book().at(device);
  Verdict verdict = assigner_.assign(record, device, round_, server());
  const double charge = record.battery.charge(engine_.now());
  const bool empty = !record.battery.on_mains() && charge <= 0;
  if (verdict.cause == Cause::kNone && (empty || charge < setup_.devices.min_battery)) {
    verdict.cause = Cause::kBattery;
  }
  if (verdict.cause != Cause::kNone) return refuse(verdict, record);
  ++invited_;
  ++running_;
  jobs_.start(verdict.task);
}

void SynchronousServer::refuse(const Verdict& verdict, const DeviceRecord& device) {
  AttemptRow row;
  row.device = verdict.task.device;
  row.round = round_;
  row.base_version = static_cast<std::uint32_t>(verdict.task.base_version);
  row.outcome = Outcome::kRefused;
  row.cause = verdict.cause;
  row.selected = engine_.now();
  row.samples = static_cast<std::uint32_t>(verdict.task.samples);
  row.batch = static_cast<std::uint32_t>(verdict.task.batch);
  row.peak_memory = verdict.task.memory.peak();
  row.memory_limit = verdict.task.memory_limit;
  row.battery_start = row.battery_end = device.battery.charge(engine_.now());
  refused_.push_back(row);
}

void SynchronousServer::await_next_check_in() {
  if (invited_ >= wanted_ || waiting_.empty()) return;
  std::sort(waiting_.begin(), waiting_.end());
  const Candidate& first = waiting_[next_waiting_];
  check_in_ = engine_.schedule(first.online, Priority::kDeviceState, events::kCheckIn, first.device,
                               round_);
  if (setup_.server.select_timeout) {
    timeout_ = engine_.schedule(engine_.after(*setup_.server.select_timeout),
                                Priority::kServerProtocol, events::kSelectTimeout, 0, round_);
  }
}

void SynchronousServer::on_check_in(const Event& event) {
  const std::size_t before = waiting_.size();
  consider(event.target);
  waiting_.resize(before);  // one that has gone again by now is not waited for twice
  ++next_waiting_;
  if (invited_ < wanted_ && next_waiting_ < waiting_.size()) {
    const Candidate& next = waiting_[next_waiting_];
    check_in_ = engine_.schedule(std::max(next.online, engine_.now()), Priority::kDeviceState,
                                 events::kCheckIn, next.device, round_);
  } else {
    next_waiting_ = waiting_.size();
    engine_.cancel(timeout_);
  }
  close_if_nobody_is_left();
}

void SynchronousServer::on_select_timeout(const Event&) {
  engine_.cancel(check_in_);
  next_waiting_ = waiting_.size();
  close_if_nobody_is_left();
}

void SynchronousServer::on_deadline(const Event&) {
  if (open_) close(true);
}

void SynchronousServer::training_started(AttemptId attempt) {
  if (learner_ != nullptr && !setup_.server.delivers_only()) {
    learner_->training_started(attempt, jobs_.attempts()[attempt].task);
  }
}

void SynchronousServer::reported(AttemptId attempt) {
  --running_;
  accepted_.push_back(attempt);
  if (static_cast<std::int64_t>(accepted_.size()) >= setup_.server.participants) {
    close(false);
  } else {
    close_if_nobody_is_left();
  }
}

void SynchronousServer::lost(AttemptId) {
  --running_;
  close_if_nobody_is_left();
}

void SynchronousServer::close_if_nobody_is_left() {
  const bool waiting = invited_ < wanted_ && next_waiting_ < waiting_.size();
  if (open_ && running_ == 0 && !waiting) close(false);
}

void SynchronousServer::close(bool at_deadline) {
  open_ = false;
  engine_.cancel(deadline_);
  engine_.cancel(timeout_);
  engine_.cancel(check_in_);
  jobs_.cut_all();
  const double least = setup_.server.min_fraction * static_cast<double>(setup_.server.participants);
  const bool abandoned = static_cast<double>(accepted_.size()) < least ||
                         static_cast<std::int64_t>(accepted_.size()) < setup_.server.min_reports;
  if (!abandoned && !setup_.server.delivers_only()) learn(accepted_);
  record_attempts(abandoned, at_deadline);
  record_round();
  ++rounds_done_;
  const bool last = rounds_done_ >= setup_.server.rounds || stop_rule_met(row_);
  if (last) {
    evaluate_end();
    engine_.request_stop();
  } else {
    engine_.schedule(engine_.now(), Priority::kServerProtocol, events::kRoundStart, 0, round_ + 1);
  }
}

void SynchronousServer::learn(std::vector<AttemptId> accepted) {
  if (accepted.empty()) return;
  if (learner_ == nullptr) {
    ++sketch_.version;
  } else {
    learner_->finish_round(jobs_.attempts(), std::move(accepted));
  }
}

namespace {
// Of the trained model's payload as much as `moved` is of the charged one.
Bytes encoded_part(const Assignment& task, Bytes moved) {
  if (task.up == task.encoded_up) return moved;
  if (moved == task.up) return task.encoded_up;
  const double share = task.up.value() > 0 ? moved / task.up : 0;
  return Bytes(static_cast<std::int64_t>(share * as_double(task.encoded_up)));
}
}  // namespace

AttemptRow SynchronousServer::row_of(const Attempt& a) const {
  AttemptRow row;
  row.device = a.task.device;
  row.round = round_;
  row.base_version = static_cast<std::uint32_t>(a.task.base_version);
  row.cause = a.cause;
  row.selected = a.selected;
  row.download_end = a.download_end;
  row.train_end = a.train_end;
  row.upload_end = a.upload_end;
  if (a.train_end != kNever) row.flops = a.task.flops;
  row.bytes_down = a.moved_down;
  row.bytes_up = a.moved_up;
  row.encoded_bytes = encoded_part(a.task, a.moved_up);
  const MemoryDemand& m = a.task.memory;
  if (a.download_end != kNever) row.peak_memory = m[JobPhase::kLoad].total();
  if (a.train_end != kNever || a.phase == AttemptPhase::kReported) row.peak_memory = m.peak();
  if (a.cause == Cause::kRam) row.peak_memory = m[a.memory.phase].total();
  row.memory_limit = a.task.memory_limit;
  row.energy = a.energy;
  row.battery_start = a.battery_start;
  row.battery_end = a.battery_end;
  if (setup_.has_model()) {
    row.bits = static_cast<float>(plan_storage_[a.task.plan].bits);
    row.sparsity = static_cast<float>(plan_storage_[a.task.plan].sparsity);
  }
  row.batch = static_cast<std::uint32_t>(a.task.batch);
  row.steps = static_cast<std::uint32_t>(a.task.steps);
  row.samples = static_cast<std::uint32_t>(a.task.samples);
  row.train_loss = a.train_loss;
  return row;
}

void SynchronousServer::record_attempts(bool abandoned, bool at_deadline) {
  double loss = 0, weight = 0;
  contraction_ = kNotMeasured;
  for (const AttemptRow& refused : refused_) recorder_.add(refused);
  for (const Attempt& a : jobs_.attempts()) {
    AttemptRow row = row_of(a);
    if (a.phase == AttemptPhase::kCut) {
      row.outcome = Outcome::kLate;
      row.cause = at_deadline ? Cause::kDeadline : Cause::kNone;
      ++row_.late;
    } else if (a.phase == AttemptPhase::kReported && !abandoned && a.cause == Cause::kNone) {
      row.outcome = Outcome::kAccepted;
      ++row_.accepted;
      if (!(contraction_ >= a.contraction)) contraction_ = a.contraction;
      if (std::isfinite(a.train_loss)) {
        loss += a.train_loss * static_cast<double>(a.task.samples);
        weight += static_cast<double>(a.task.samples);
      }
    } else {
      row.outcome = Outcome::kAborted;
      if (a.phase == AttemptPhase::kReported && abandoned) row.cause = Cause::kDeadline;
      ++row_.aborted;
    }
    DeviceRecord& record = jobs_.book().at(a.task.device);
    if (row.outcome == Outcome::kAccepted) {
      ++record.accepted;
    } else {
      row.bytes_wasted = row.bytes_down + row.bytes_up;
    }
    record.peak_memory = std::max(record.peak_memory, row.peak_memory);
    row_.bytes_down += row.bytes_down;
    row_.bytes_up += row.bytes_up;
    row_.bytes_wasted += row.bytes_wasted;
    row_.energy += row.energy.total();
    recorder_.add(row);
  }
  row_.invited = static_cast<std::uint32_t>(invited_);
  row_.refused = static_cast<std::uint32_t>(refused_.size());
  if (row_.accepted > 0) row_.staleness_mean = 0;
  if (weight > 0) row_.train_loss = loss / weight;
}

void SynchronousServer::record_round() {
  row_.virtual_time = engine_.now();
  const bool due = round_ % setup_.evaluation.every == 0 || round_ == setup_.server.rounds;
  if (evaluator_ != nullptr && due) {
    row_.metrics = evaluator_->evaluate(
        learner_->server(), [&](ClientId client) { return learner_->personal_model(client); });
    for (const auto& [metric, value] : row_.metrics) {
      if (metric == "train_loss") row_.train_loss = value;
    }
    std::erase_if(row_.metrics, [](const auto& m) { return m.first == "train_loss"; });
    evaluate_plans();
    evaluate_prefixes();
  }
  if (!std::isnan(contraction_)) row_.metrics.emplace_back("contraction", contraction_);
  if (evaluator_ != nullptr) add_method_figures();
  total_up_ += row_.bytes_up;
  total_down_ += row_.bytes_down;
  total_energy_ += row_.energy;
  if (on_round_) on_round_(row_);
  recorder_.add(row_);
  record_tiers(row_);
}

void SynchronousServer::add_method_figures() {
  const std::vector<std::string> names = setup_.method->figure_names();
  const std::vector<double> figures =
      setup_.method->figures(setup_.composition, learner_->server());
  for (std::size_t i = 0; i < names.size(); ++i) row_.metrics.emplace_back(names[i], figures[i]);
}

void SynchronousServer::evaluate_plans() {
  plan_metrics_.assign(setup_.composition.plans.size(), {});
  for (std::size_t p = 0; p < plan_metrics_.size(); ++p) {
    const Plan& plan = setup_.composition.plans[p];
    const bool own_model = plan.model != setup_.composition.global().model;
    if (!plan.compresses() && !own_model) continue;
    if (p == 0 && recorder_.info().keep_layers) record_layers(*learner_->prepared(p));
    plan_metrics_[p] = evaluator_->evaluate(
        own_model ? learner_->server().models[plan.model].weights : learner_->held(p));
    for (const auto& [metric, value] : plan_metrics_[p]) {
      recorder_.add(EvaluationRow{.round = row_.round,
                                  .scope = EvaluationRow::Scope::kTier,
                                  .entity = static_cast<std::uint32_t>(p),
                                  .metric = metric,
                                  .value = value});
    }
  }
}

// Ensembles that stop early: each number of members is a model of its own.
void SynchronousServer::evaluate_prefixes() {
  static const std::string kPrefix = "prefix:";
  for (const Predictor& p : setup_.method->predictors(setup_.composition, learner_->server())) {
    if (!p.scope.starts_with(kPrefix)) continue;
    for (const auto& [metric, value] : evaluator_->evaluate(p)) {
      recorder_.add(EvaluationRow{.round = row_.round,
                                  .scope = EvaluationRow::Scope::kPrefix,
                                  .entity = static_cast<std::uint32_t>(p.members.size()),
                                  .metric = metric,
                                  .value = value});
    }
  }
}

// What compressors of the end make of the last version: its metrics, and what it is stored in.
void SynchronousServer::evaluate_end() {
  if (evaluator_ == nullptr) return;
  for (std::size_t p = 0; p < setup_.composition.plans.size(); ++p) {
    if (setup_.composition.plans[p].at_end.empty()) continue;
    const Model model = learner_->at_end(p);
    Metrics metrics = evaluator_->evaluate(decoded(model));
    metrics.emplace_back("model_bytes", as_double(shape_of(model).stored));
    for (const auto& [metric, value] : metrics) {
      recorder_.add(EvaluationRow{.round = row_.round,
                                  .scope = EvaluationRow::Scope::kTier,
                                  .entity = static_cast<std::uint32_t>(p),
                                  .metric = metric,
                                  .value = value});
    }
  }
}

// How far each matrix of the first plan's devices is from the server's.
void SynchronousServer::record_layers(const Model& held) {
  const Vector& master = learner_->server().models[setup_.composition.global().model].weights;
  const Vector decoded_to = widened(held, master.layout);
  std::uint32_t layer = 0;
  for (std::size_t t = 0; t < master.layout->slices.size(); ++t) {
    const Slice& s = master.layout->slices[t];
    if (!s.is_matrix()) continue;
    const auto of = [&](const Vector& v) {
      return std::span(v.values).subspan(s.offset, s.size());
    };
    const TensorShape& stored = setup_.composition.global().prepared.tensors[t];
    const auto kept = static_cast<double>(stored.kept);
    LayerRow row{.round = row_.round, .layer = layer++};
    row.error = kernels::squared_distance_double(of(decoded_to), of(master)) /
                kernels::squared_norm_double(of(master));
    row.bits = static_cast<float>(8 * static_cast<double>(stored.stored.value()) / kept);
    row.sparsity = static_cast<float>(1 - kept / static_cast<double>(s.size()));
    recorder_.add(row);
  }
}

void SynchronousServer::record_tiers(const RoundRow& round) {
  const auto& tiers = setup_.devices.tiers;
  if (tiers.empty()) return;
  std::vector<TierRow> rows(tiers.size());
  const auto add = [&](std::uint32_t device, bool accepted, const AttemptRow& row) {
    const int tier = assigner_.tier_of(jobs_.book().fleet().profile(device));
    if (tier < 0) return;
    TierRow& t = rows[static_cast<std::size_t>(tier)];
    (accepted ? t.accepted : t.refused) += 1;
    t.peak_memory = std::max(t.peak_memory, row.peak_memory);
    t.memory_limit = std::max(t.memory_limit, row.memory_limit);
  };
  for (const AttemptRow& r : refused_) add(r.device, false, r);
  for (const Attempt& a : jobs_.attempts()) {
    if (a.phase == AttemptPhase::kReported) add(a.task.device, true, row_of(a));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    TierRow& t = rows[i];
    t.round = round.round;
    t.tier = static_cast<std::uint32_t>(i);
    const std::size_t plan = setup_.planner->plan_of_tier(i);
    const bool own = plan < plan_metrics_.size() && !plan_metrics_[plan].empty();
    for (const auto& [metric, value] : own ? plan_metrics_[plan] : round.metrics) {
      if (metric == "test_accuracy") t.accuracy = value;
      if (metric == "test_loss") t.loss = value;
    }
    if (setup_.has_model()) {
      const Composition& charged = setup_.charged();
      t.model_bytes = charged.plans[plan].prepared.stored;
      t.bits = static_cast<float>(plan_storage_[plan].bits);
      t.sparsity = static_cast<float>(plan_storage_[plan].sparsity);
    }
    recorder_.add(t);
  }
}

bool SynchronousServer::stop_rule_met(const RoundRow& row) const {
  const StopRule& stop = setup_.server.stop;
  if (stop.virtual_time && to_seconds(engine_.now()) >= *stop.virtual_time) return true;
  if (stop.upload && total_up_ >= *stop.upload) return true;
  if (stop.download && total_down_ >= *stop.download) return true;
  if (stop.energy && total_energy_ >= *stop.energy) return true;
  for (const auto& [metric, wanted] : stop.target) {
    double value = metric == "train_loss" ? row.train_loss : kNotMeasured;
    for (const auto& [name, measured] : row.metrics) {
      if (name == metric) value = measured;
    }
    if (metric_rises(metric) ? value >= wanted : value <= wanted) return true;
  }
  return false;
}

}  // namespace skiff
