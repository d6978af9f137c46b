// skiff-mpi: what `mpirun -n N skiff sweep ...` becomes, once a rank. Rank 0 speaks for all.

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <boost/mpi/environment.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

#include "sim/cli/command.h"
#include "sim/cli/home.h"
#include "sim/cli/mpi/queue.h"
#include "sim/cli/report_error.h"
#include "sim/cli/run_one.h"
#include "sim/core/error.h"

namespace skiff::cli {
namespace {

namespace mpi = boost::mpi;

int from_launcher(const char* open_mpi, const char* mpich, int otherwise) {
  for (const char* name : {open_mpi, mpich}) {
    const char* value = std::getenv(name);
    if (value != nullptr) return std::atoi(value);
  }
  return otherwise;
}

// The processors that this rank is bound to, or its share of those of its machine.
std::size_t threads_of_rank() {
  cpu_set_t mine;
  const long all = ::sysconf(_SC_NPROCESSORS_ONLN);
  if (::sched_getaffinity(0, sizeof mine, &mine) == 0 && CPU_COUNT(&mine) < all) {
    return static_cast<std::size_t>(CPU_COUNT(&mine));
  }
  const int here = from_launcher("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", 1);
  return std::max<std::size_t>(1, processors() / static_cast<std::size_t>(std::max(1, here)));
}

int lead(const mpi::communicator& world, Sweep& sweep, RunServer& server,
         const SweepRequest& request, std::size_t threads) {
  std::size_t dead = 0;
  int code = kOk;
  {
    SweepWatch watch(sweep, request);
    watch.header(
        fmt::format("{} ranks, {} thread{} each", world.size(), threads, threads == 1 ? "" : "s"));
    dead = lead_queue(world, sweep, server, watch, threads, request.patience);
    code = watch.finish();
  }
  if (dead == 0) return code;
  fmt::print(stderr, "{} of {} ranks died on the way\n", dead, world.size());
  std::fflush(nullptr);
  mpi::environment::abort(code);  // an orderly end would wait for them
  return code;
}

int sweep_as_rank(const std::vector<std::string>& arguments, int size) {
  const auto request = parse_sweep_request(arguments);
  if (!request) return kOk;
  if (request->jobs != 0) throw UsageError("--jobs: under mpirun, -n says how many runs at a time");
  if (request->dry_run) throw UsageError("--dry-run: without mpirun");
  Sweep sweep(*request);
  RunServer server(sweep.jobs());  // before MPI has threads
  watch_signals();
  const mpi::environment environment;
  const mpi::communicator world;
  if (world.size() != size) {
    throw RunError(
        fmt::format("the launcher started {} processes, but MPI knows {}: is it "
                    "the mpirun of the MPI that skiff was built with?",
                    size, world.size()));
  }
  const std::size_t threads = threads_of_rank();
  if (world.rank() != 0) {
    follow_queue(world, server, threads);
    return kOk;
  }
  sweep.survey();
  return lead(world, sweep, server, *request, threads);
}

int program(const std::vector<std::string>& arguments) {
  find_home();
  try {
    return sweep_as_rank(arguments, from_launcher("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", 1));
  } catch (...) {
    // What is wrong everywhere is said by rank 0, whose end ends the others; what is wrong here
    // alone, e.g. a file that this machine does not see, is said a little later.
    const int rank = from_launcher("OMPI_COMM_WORLD_RANK", "PMI_RANK", 0);
    if (rank != 0) {
      std::this_thread::sleep_for(std::chrono::seconds(3));
      fmt::print(stderr, "rank {}:\n", rank);
    }
    return report_error(std::current_exception());
  }
}

}  // namespace
}  // namespace skiff::cli

int main(int argc, char** argv) { return skiff::cli::program({argv + 1, argv + argc}); }
