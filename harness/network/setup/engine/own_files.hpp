#pragma once

/// Private to this folder.
namespace plumbline::network {

/// In a sandbox whose /etc is private: what the machine keeps for its own engines is not there any more:
/// their configuration, plugins, and hooks, which an engine would run as root. Throws Error.
void hide_machine_settings();

}  // namespace plumbline::network
