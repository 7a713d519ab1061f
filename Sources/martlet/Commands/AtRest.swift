import ArgumentParser
import Glibc
import MartletNode

/// What the verbs share that work on an installation's data themselves: settings and keys, and that nobody else works on it.
enum AtRest {
    static func failure(_ text: String, _ status: Int32 = 1) -> ExitCode {
        print("martlet: \(text)")
        return ExitCode(status)
    }

    enum Part {
        case node, desk
    }

    /// Holds the data as a node or a desk would, to the end of the program; makes its directories where they are missing.
    /// - Throws: exit code 3, having said who must be stopped.
    static func hold(_ data: String, _ parts: [Part]) throws -> [DirectoryLock] {
        umask(0o077)
        return try parts.map { part in
            let directory = part == .node ? data : "\(data)/desk"
            for path in [data, directory] {
                guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                    throw failure("\(path) cannot be made: \(String(cString: strerror(errno)))", ExitStatus.diskFailed)
                }
            }
            do throws(DirectoryLock.Fault) {
                return try DirectoryLock(directory)
            } catch {
                guard case .inUse = error else { throw failure(error.description, ExitStatus.diskFailed) }
                let who = part == .node ? "a node works on \(data)" : "a desk works on \(data)"
                throw failure("\(who); stop it first (the node alone goes on with --role node)", ExitStatus.dataInUse)
            }
        }
    }
}
