// Python as a program: the script is its argument, the task its input. It can be missing, fail or hang, and the run goes on.
#include "pictures/run_python.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "draw_script.hpp"

namespace uplift {
namespace {

constexpr int missing_library = 77, no_program = 127;
constexpr int time_limit = 120;  // [s]

struct Ended {
  int status = -1;  ///< exit status; -1: by a signal or the time limit
  bool too_long = false;
  std::string errors;
};

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) ends_[0] = ends_[1] = -1;
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int end(int k) const { return ends_[k]; }
  void close_end(int k) {
    if (ends_[k] >= 0) ::close(ends_[k]);
    ends_[k] = -1;
  }

 private:
  int ends_[2];
};

Ended run(const std::string& python, const std::string& input) {
  Pipe in, errors;
  Ended ended;
  const std::string script(draw_script);
  if (in.end(0) < 0 || errors.end(0) < 0) return ended;
  const pid_t child = ::fork();
  if (child < 0) return ended;
  if (child == 0) {
    ::dup2(in.end(0), 0);
    ::dup2(errors.end(1), 2);
    if (const int nowhere = ::open("/dev/null", O_WRONLY); nowhere >= 0) ::dup2(nowhere, 1);
    const char* arguments[] = {python.c_str(), "-W", "ignore", "-c", script.c_str(), nullptr};
    ::execvp(python.c_str(), const_cast<char* const*>(arguments));
    ::_exit(no_program);
  }
  in.close_end(0);
  errors.close_end(1);
  ::fcntl(in.end(1), F_SETFL, O_NONBLOCK);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(time_limit);
  // A reader that ends early must not end us.
  struct sigaction ignore {
  }, before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &before);
  for (std::size_t sent = 0; errors.end(0) >= 0;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) {
      ended.too_long = true;
      ::kill(child, SIGKILL);
      break;
    }
    pollfd ends[2] = {{errors.end(0), POLLIN, 0}, {in.end(1), POLLOUT, 0}};
    if (::poll(ends, in.end(1) >= 0 ? 2 : 1, static_cast<int>(left)) < 0 && errno != EINTR) break;
    if (in.end(1) >= 0 && ends[1].revents) {
      const ssize_t n = ::write(in.end(1), input.data() + sent, input.size() - sent);
      if (n > 0) sent += static_cast<std::size_t>(n);
      if (sent == input.size() || (n < 0 && errno != EAGAIN && errno != EINTR)) in.close_end(1);
    }
    if (ends[0].revents) {
      char text[4096];
      const ssize_t n = ::read(errors.end(0), text, sizeof text);
      if (n > 0) ended.errors.append(text, static_cast<std::size_t>(n));
      if (n == 0 || (n < 0 && errno != EINTR)) errors.close_end(0);
    }
  }
  ::sigaction(SIGPIPE, &before, nullptr);
  in.close_end(1);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) ended.status = WEXITSTATUS(status);
  return ended;
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
}

}  // namespace

std::string run_python(const nlohmann::json& task) {
  const std::string input = task.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  std::vector<std::string> candidates;
  if (const char* chosen = std::getenv("UPLIFT_PYTHON"); chosen && *chosen)
    candidates = {chosen};
  else
    candidates = {"python3", "/usr/bin/python3"};
  for (const std::string& python : candidates) {
    const Ended ended = run(python, input);
    if (ended.status == 0) return "";
    if (ended.status == missing_library || ended.status == no_program) continue;
    if (ended.too_long) return python + " did not draw within " + std::to_string(time_limit) + " s";
    return python + " could not draw: " + last_line(ended.errors);
  }
  return "no Python with matplotlib was found (" + candidates[0] +
         "); install it (apt install python3-matplotlib, or pip install matplotlib; UPLIFT_PYTHON names another Python) and "
         "run `uplift report` on the directory";
}

}  // namespace uplift
