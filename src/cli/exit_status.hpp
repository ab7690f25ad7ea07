#pragma once

namespace zkr::cli::exit_status {

// What the tool ends with; docs/tool.md and `zkr --help` explain them to users.
inline constexpr int ok = 0;
inline constexpr int failure = 1;
inline constexpr int usage = 2;
inline constexpr int not_elected = 110;      ///< A deadline or a signal ended the candidacy.
inline constexpr int leadership_lost = 111;  ///< The leadership was lost, or about to be, while it was in use.
inline constexpr int cannot_run = 126;       ///< As in the shell: the command is no program.
inline constexpr int no_such_command = 127;  ///< As in the shell: there is no such command.
inline constexpr int signalled = 128;        ///< As in the shell: plus the number of the signal that ended the command.

}  // namespace zkr::cli::exit_status
