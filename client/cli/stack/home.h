// Where the embedded stack of a user lives, and what lies where in it. Pure but for MakeFolders.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace potok::client {

struct Home {
  std::string root;  // absolute

  std::string server_socket() const { return root + "/server.sock"; }
  std::string server_address() const { return "unix:" + server_socket(); }
  std::string http_address_file() const { return root + "/http.address"; }  // the server writes it
  std::string postgres() const { return root + "/postgres"; }
  std::string agent_state(const std::string& name) const { return root + "/agents/" + name; }
  std::string logs() const { return root + "/logs"; }
  std::string log(const std::string& process) const { return logs() + "/" + process + ".log"; }
  std::string pid_file(const std::string& process) const {
    return root + "/run/" + process + ".pid";
  }
  std::string supervisor_pid_file() const { return root + "/supervisor.pid"; }
  std::string supervisor_lock() const { return root + "/supervisor.lock"; }
  std::string state_file() const { return root + "/supervisor.state"; }
  std::string config_file() const { return root + "/stack.yml"; }

  // The root and its subfolders. Closed to other users; of root's the root can be passed through,
  // because PostgreSQL runs as another user below it.
  absl::Status MakeFolders() const;
};

}  // namespace potok::client
