// skiff sweep FILE: every run that a scenario's `sweep` stands for, each in a process of its own:
// several at a time on this machine, or on all that mpirun starts it on.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>

#include "sim/cli/command.h"
#include "sim/cli/run_one.h"
#include "sim/cli/serve_options.h"
#include "sim/cli/sweep.h"
#include "sim/cli/sweep_watch.h"
#include "sim/core/error.h"

namespace skiff::cli {
namespace {
namespace fs = std::filesystem;
namespace po = boost::program_options;

void read_shard(const std::string& text, SweepRequest& request) {
  unsigned shard = 0, shards = 0;
  int end = 0;
  const bool read = std::sscanf(text.c_str(), "%u/%u%n", &shard, &shards, &end) == 2;
  if (!read || static_cast<std::size_t>(end) != text.size() || shard >= shards) {
    throw UsageError(fmt::format("--shard {}: expected I/N with 0 <= I < N, e.g. 0/4", text));
  }
  request.shard = shard;
  request.shards = shards;
}

po::options_description sweep_options() {
  po::options_description options;
  options.add_options()("set", po::value<std::vector<std::string>>(),
                        "a.b=v sets any key, +a.b=v appends, ~a.b removes; values are YAML")(
      "out,o", po::value<std::string>(), "folder; default results/NAME")(
      "jobs,j", po::value<int>()->default_value(0),
      "runs at a time, which share the processors; 0: one a processor")(
      "shard", po::value<std::string>(), "I/N: every N-th run from the I-th on, for job arrays")(
      "dry-run,n", "say which runs there are, and stop")("quiet,q", "no progress, no summary")(
      "patience", po::value<double>()->default_value(60),
      "under mpirun: seconds after which a rank that says nothing counts as dead");
  add_serve_options(options);
  return options;
}

// Runs as many at a time as were asked for, until all have ended or an interrupt stops it.
void run_here(const Sweep& sweep, RunServer& server, SweepWatch& watch, std::size_t at_once,
              std::size_t threads) {
  bool told = false;
  for (auto next = sweep.todo().begin();;) {
    while (next != sweep.todo().end() && server.at_work() < at_once && !was_interrupted()) {
      watch.started(*next);
      server.start(*next++, threads);
    }
    if (server.at_work() == 0) return;
    if (was_interrupted() && !std::exchange(told, true)) server.interrupt();
    for (const RunNews& news : server.news()) watch.news(news);
    for (const RunServer::Ended& end : server.ended()) watch.ended(end);
    watch.tick();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

int sweep_here(const SweepRequest& request) {
  Sweep sweep(request);
  sweep.survey();
  if (request.dry_run) {
    for (const SweepPoint& point : sweep.points()) {
      fmt::print("{:<7} {}\n", point.done ? "done" : "to do",
                 (sweep.folder() / point.folder).string());
    }
    fmt::print("{} runs, {} to do here\n", sweep.points().size(), sweep.todo().size());
    return kOk;
  }
  const std::size_t wanted = request.jobs == 0 ? processors() : request.jobs;
  const std::size_t at_once = std::min(wanted, std::max<std::size_t>(1, sweep.todo().size()));
  const std::size_t threads = std::max<std::size_t>(1, processors() / at_once);
  RunServer server(sweep.jobs());  // before the live page has a thread
  watch_signals();
  SweepWatch watch(sweep, request);
  watch.header(
      fmt::format("{} at a time, {} thread{} each", at_once, threads, threads == 1 ? "" : "s"));
  run_here(sweep, server, watch, at_once, threads);
  return watch.finish();
}

// Whether several of us were started together by mpirun (Open MPI, or one of MPICH's kind).
bool under_mpirun() {
  const char* mpich = std::getenv("PMI_SIZE");
  return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr ||
         (mpich != nullptr && std::atoi(mpich) > 1);
}

// The program that knows MPI stands beside this one, which therefore runs where there is none.
[[noreturn]] void become_mpi_program(const std::vector<std::string>& arguments) {
  const std::string program = fs::read_symlink("/proc/self/exe").parent_path() / "skiff-mpi";
  std::vector<char*> words{const_cast<char*>(program.c_str())};
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execv(program.c_str(), words.data());
  throw RunError("under mpirun a sweep needs " + program +
                 ", which is built where CMake finds MPI and Boost.MPI (libopenmpi-dev, "
                 "libboost-mpi-dev)");
}

}  // namespace

std::optional<SweepRequest> parse_sweep_request(const std::vector<std::string>& arguments) {
  po::variables_map given;
  const Verb& verb = verb_named("sweep");
  if (!parse(verb, arguments, sweep_options(), "file", given)) return std::nullopt;
  SweepRequest request;
  request.file = single_file(verb, given);
  request.overrides = words_of(given, "set");
  if (given.count("out") != 0) request.out = given["out"].as<std::string>();
  if (given["jobs"].as<int>() < 0) throw UsageError("--jobs: 0 or more");
  request.jobs = static_cast<std::size_t>(given["jobs"].as<int>());
  if (given.count("shard") != 0) read_shard(given["shard"].as<std::string>(), request);
  request.patience = given["patience"].as<double>();
  if (!(request.patience > 0)) throw UsageError("--patience: seconds, more than 0");
  request.dry_run = given.count("dry-run") != 0;
  request.quiet = given.count("quiet") != 0;
  request.serve = serve_options(given);
  return request;
}

int sweep_verb(const std::vector<std::string>& arguments) {
  if (under_mpirun()) become_mpi_program(arguments);
  const std::optional<SweepRequest> request = parse_sweep_request(arguments);
  return request ? sweep_here(*request) : kOk;
}

}  // namespace skiff::cli
