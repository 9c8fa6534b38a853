#include "rank_guard.hpp"

#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "commands.hpp"
#include "stop_reasons.hpp"
#include "uplift/core/launcher.hpp"

namespace uplift::app {
namespace {

volatile pid_t ward = 0;

extern "C" void pass_on(int number) {
  const int before = errno;
  sigval value{};
  value.sival_int = passed_on;
  if (ward > 0) ::sigqueue(ward, number, value);
  errno = before;
}

bool wanted() {
  const char* value = std::getenv("UPLIFT_RANK_GUARD");
  return launched_ranks() > 1 && !(value && std::string_view(value) == "0");
}

/// Of this process, as launchers name it; "" if they do not.
std::string rank_name() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"})
    if (const char* value = std::getenv(name)) return std::string(" ") + value;
  return "";
}

[[noreturn]] void end_by(int number) {
  std::signal(number, SIG_DFL);
  sigset_t all;
  ::sigemptyset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  std::raise(number);
  ::_exit(128 + number);
}

[[noreturn]] void end_as_killed(int number) {
  const std::string message =
      "error: rank" + rank_name() + " (process " + std::to_string(ward) + ") was ended by signal " + std::to_string(number) +
      " (" + ::strsignal(number) + ")" +
      (number == SIGKILL ? ": somebody killed it, or there was no memory left (the kernel's log says so)" : "") +
      "; a run goes on from its last checkpoint with --resume\n";
  [[maybe_unused]] const ssize_t told = ::write(STDERR_FILENO, message.data(), message.size());
  ::_exit(failed);
}

}  // namespace

void guard_rank() {
  if (!wanted()) return;
  // Signals wait until it is known to whom they go.
  sigset_t stops, before;
  ::sigemptyset(&stops);
  for (int number : stop_signals) ::sigaddset(&stops, number);
  ::sigprocmask(SIG_BLOCK, &stops, &before);
  const pid_t guard = ::getpid(), child = ::fork();
  if (child <= 0) {
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing outlives its guard, whom the launcher takes for the rank
      if (::getppid() != guard) ::_exit(failed);
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    return;  // the rank; or this process, where there is none to be had
  }
  ward = child;
  ::prctl(PR_SET_NAME, "guard of a rank");  // whoever looks for the rank by its name finds the rank
  for (int number : stop_signals) {
    struct sigaction now {};
    if (::sigaction(number, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) std::signal(number, pass_on);
  }
  std::signal(SIGPIPE, SIG_IGN);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) ::_exit(failed);
  if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
  const int number = WTERMSIG(status);
  for (int stop : stop_signals)
    if (number == stop) end_by(number);
  end_as_killed(number);
}

}  // namespace uplift::app
