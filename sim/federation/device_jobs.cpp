#include "sim/federation/device_jobs.h"

#include <algorithm>
#include <cmath>

#include "devices/radio.h"
#include "sim/federation/events.h"

namespace skiff {
namespace {

Direction direction_of(AttemptPhase phase) {
  return phase == AttemptPhase::kDownload ? Direction::kDownload : Direction::kUpload;
}
bool transfers(AttemptPhase phase) {
  return phase == AttemptPhase::kDownload || phase == AttemptPhase::kUpload;
}

void set_load(DeviceRecord& record, EnergyCause cause, Watts power, VirtualTime now) {
  PowerByCause load;
  load[EnergyCause::kIdle] = record.idle_power();
  load[cause] += power;
  record.battery.set_load(load, now);
}

Watts power_over(Joules energy, Seconds time) {
  return time.value() > 0 ? energy / time : Watts(0);
}

Cause cause_of(Failure::Cause failure) {
  return failure == Failure::Cause::kCrash ? Cause::kCrash : Cause::kInterrupted;
}

// Payload bytes of an unlimited transfer that was cut after `elapsed`.
Bytes moved_until(const Transfer& t, Bytes payload, Seconds elapsed) {
  const double flowing = (elapsed - t.lead).value();
  const double whole = (t.alone() - t.lead).value();
  if (flowing <= 0 || whole <= 0) return Bytes(0);
  return Bytes(static_cast<std::int64_t>(as_double(payload) * std::min(1.0, flowing / whole)));
}

}  // namespace

DeviceJobs::DeviceJobs(Engine& engine, const FederationSetup& setup, AttemptObserver& observer)
    : engine_(engine),
      setup_(setup),
      observer_(observer),
      book_(*setup.devices.fleet),
      links_(engine, setup.devices.server_download, setup.devices.server_upload) {
  engine.on<&DeviceJobs::on_timer>(events::kAttemptTimer, *this, "attempt-timer");
  engine.on<&DeviceJobs::on_link>(events::kServerLink, *this, "server-link");
}

AttemptId DeviceJobs::start(const Assignment& task) {
  const auto id = static_cast<AttemptId>(attempts_.size());
  Attempt& a = attempts_.emplace_back();
  a.task = task;
  a.selected = engine_.now();
  a.memory = run_memory(task.memory, task.memory_limit);
  DeviceRecord& r = record(a);
  SKIFF_CHECK(!r.busy, "a busy device was selected");
  r.busy = true;
  const std::uint64_t number = r.attempts++;
  r.battery.advance(a.selected);
  a.spent_before = r.battery.spent();
  a.battery_start = r.battery.charge(a.selected);
  const Failure failure = first_failure(setup_.devices.failures, setup_.seed, task.device, number);
  if (failure.cause != Failure::Cause::kNone) {
    a.fails_at = engine_.after(failure.after);
    a.failure = cause_of(failure.cause);
  }
  const Availability::Answer online =
      setup_.devices.availability->at(setup_.seed, task.device, a.selected);
  if (online.until < a.fails_at) {
    a.fails_at = online.until;
    a.failure = Cause::kUnavailable;
  }
  begin_transfer(id, Direction::kDownload);
  return id;
}

void DeviceJobs::begin_transfer(AttemptId id, Direction direction) {
  Attempt& a = attempts_[id];
  DeviceRecord& r = record(a);
  const bool upload = direction == Direction::kUpload;
  a.phase = upload ? AttemptPhase::kUpload : AttemptPhase::kDownload;
  a.phase_start = engine_.now();
  a.settled = false;
  const Bytes payload = upload ? a.task.up : a.task.down;
  a.transfer = plan_transfer(r.device.access, direction, payload, upload && a.task.down > Bytes(0));
  const bool on_air = a.transfer.wire > Bytes(0);
  set_load(r, EnergyCause::kRadio, on_air ? r.device.link->radio.base.value : Watts(0),
           a.phase_start);
  wait(id, engine_.after(links_.limited(direction) ? a.transfer.lead : a.transfer.alone()));
}

void DeviceJobs::begin_load(AttemptId id) {
  Attempt& a = attempts_[id];
  a.phase = AttemptPhase::kLoad;
  a.phase_start = engine_.now();
  if (dies_in(id, JobPhase::kLoad)) return;
  DeviceRecord& r = record(a);
  const FlashCost& load = a.task.load;
  if (load.time.value() <= 0) return begin_training(id);
  set_load(r, EnergyCause::kFlash, power_over(load.flash, load.time), a.phase_start);
  wait(id, engine_.after(load.time));
}

void DeviceJobs::begin_training(AttemptId id) {
  Attempt& a = attempts_[id];
  a.phase = AttemptPhase::kTrain;
  a.phase_start = engine_.now();
  if (dies_in(id, JobPhase::kTrain)) return;
  set_load(record(a), EnergyCause::kCompute, power_over(a.task.work.compute, a.task.work.time),
           a.phase_start);
  observer_.training_started(id);
  wait(id, engine_.after(a.task.work.time));
}

bool DeviceJobs::dies_in(AttemptId id, JobPhase phase) {
  const MemoryVerdict& memory = attempts_[id].memory;
  if (memory.outcome != MemoryOutcome::kKilled || memory.phase != phase) return false;
  fail(id, Cause::kRam);
  return true;
}

void DeviceJobs::wait(AttemptId id, VirtualTime end) {
  Attempt& a = attempts_[id];
  a.phase_end = end;
  const VirtualTime empty = record(a).battery.reaches(0);
  const VirtualTime next = std::min({end, a.fails_at, empty});
  const Priority priority = next != end          ? Priority::kDeviceState
                            : transfers(a.phase) ? Priority::kFlowCompletion
                                                 : Priority::kDeviceJob;
  a.timer = engine_.schedule(next, priority, events::kAttemptTimer, id, a.task.round);
}

void DeviceJobs::on_timer(const Event& event) {
  Attempt& a = attempts_[event.target];
  const VirtualTime now = engine_.now();
  if (now == a.phase_end) {
    phase_ended(event.target);
  } else {
    fail(event.target, now == a.fails_at ? a.failure : Cause::kBattery);
  }
}

void DeviceJobs::on_link(const Event& event) {
  const auto direction = static_cast<Direction>(event.target);
  SharedLink::Completion done;
  while (links_.pop(direction, done)) {
    const auto id = static_cast<AttemptId>(done.tag);
    engine_.cancel(attempts_[id].timer);
    attempts_[id].flowing = false;
    transfer_ended(id);
  }
  links_.post(direction);
}

void DeviceJobs::phase_ended(AttemptId id) {
  Attempt& a = attempts_[id];
  switch (a.phase) {
    case AttemptPhase::kDownload:
    case AttemptPhase::kUpload: {
      const Direction direction = direction_of(a.phase);
      if (!links_.limited(direction) || a.transfer.wire == Bytes(0)) return transfer_ended(id);
      // The handshake is over: from here the server's link is shared.
      a.flowing = true;
      a.flow = links_.start(direction, id, a.transfer.wire, a.transfer.bps);
      return wait(id, kNever);
    }
    case AttemptPhase::kLoad:
      return begin_training(id);
    case AttemptPhase::kTrain:
      if (dies_in(id, JobPhase::kEncode)) return;
      a.train_end = engine_.now();
      return begin_transfer(id, Direction::kUpload);
    default:
      SKIFF_CHECK(false, "a timer of an attempt that has ended");
  }
}

void DeviceJobs::transfer_ended(AttemptId id) {
  Attempt& a = attempts_[id];
  settle_transfer(id, true);
  DeviceRecord& r = record(a);
  if (!r.battery.on_mains() && r.battery.charge(engine_.now()) <= 0) {
    return fail(id, Cause::kBattery);
  }
  if (a.phase == AttemptPhase::kDownload) {
    a.download_end = engine_.now();
    if (a.task.received_base >= 0) r.held_base = a.task.received_base;
    if (a.task.received_model >= 0) r.held_model = a.task.received_model;
    return begin_load(id);
  }
  a.upload_end = engine_.now();
  finish(id, AttemptPhase::kReported);
  observer_.reported(id);
}

void DeviceJobs::settle_transfer(AttemptId id, bool complete) {
  Attempt& a = attempts_[id];
  a.settled = true;
  if (a.transfer.wire == Bytes(0)) return;
  DeviceRecord& r = record(a);
  const VirtualTime now = engine_.now();
  const Seconds elapsed = now - a.phase_start;
  const bool upload = a.phase == AttemptPhase::kUpload;
  const Bytes payload = upload ? a.task.up : a.task.down;
  Bytes wire = a.transfer.wire, moved = payload;
  if (!complete) {
    if (a.flowing) {
      wire = links_.abort(direction_of(a.phase), a.flow);
      a.flowing = false;
      moved = Bytes(static_cast<std::int64_t>(as_double(wire) / (1 + r.device.access.header)));
    } else {
      // While the handshake runs, nothing has moved yet, whatever the server's link is.
      moved = links_.limited(direction_of(a.phase)) ? Bytes(0)
                                                    : moved_until(a.transfer, payload, elapsed);
      wire = wire_bytes(moved, r.device.access.header);
    }
    moved = std::min(moved, payload);
  }
  const RadioProfile& radio = r.device.link->radio;
  const Seconds since =
      r.last_transfer_end == kNever ? kColdRadio : Seconds(a.phase_start - r.last_transfer_end);
  const RadioCost cost =
      radio_cost(radio, upload ? wire : Bytes(0), upload ? Bytes(0) : wire, elapsed, since);
  // The base power was drawn all along; what is left is due now.
  const Joules rest = cost.total() - radio.base.value * elapsed;
  r.battery.spend(EnergyCause::kRadio, std::max(rest, Joules(0)), now);
  r.last_transfer_end = now;
  (upload ? a.moved_up : a.moved_down) = moved;
}

void DeviceJobs::fail(AttemptId id, Cause cause) {
  attempts_[id].cause = cause;
  finish(id, AttemptPhase::kLost);
  observer_.lost(id);
}

void DeviceJobs::cut_all() {
  for (AttemptId id = 0; id < attempts_.size(); ++id) {
    if (attempts_[id].running()) finish(id, AttemptPhase::kCut);
  }
}

void DeviceJobs::finish(AttemptId id, AttemptPhase phase) {
  Attempt& a = attempts_[id];
  engine_.cancel(a.timer);
  if (transfers(a.phase) && !a.settled) settle_transfer(id, false);
  a.phase = phase;
  const VirtualTime now = engine_.now();
  DeviceRecord& r = record(a);
  set_load(r, EnergyCause::kIdle, Watts(0), now);
  const EnergyByCause& spent = r.battery.spent();
  const auto since_start = [&](EnergyCause c) { return spent[c] - a.spent_before[c]; };
  a.energy = {since_start(EnergyCause::kCompute), since_start(EnergyCause::kRadio),
              since_start(EnergyCause::kFlash), since_start(EnergyCause::kIdle)};
  a.battery_end = r.battery.charge(now);
  r.busy = false;
  r.bytes_down += a.moved_down;
  r.bytes_up += a.moved_up;
  r.energy += a.energy.total();
}

}  // namespace skiff
