import ArgumentParser
import FoundationEssentials
import Glibc
import Guard
import MartletNode

/// What the verbs for backup and restore share: settings, master key, and that nobody else works on the data.
enum AtRest {
    static func say(_ fault: any Error) { print("martlet: \(fault)") }

    static func failure(_ text: String, _ status: Int32 = 1) -> ExitCode {
        print("martlet: \(text)")
        return ExitCode(status)
    }

    /// - Throws: exit code 2, having said why.
    static func settings(_ place: StoreCommand.Place) throws -> (ServerSettings, MasterKey) {
        do {
            let environment = ProcessInfo.processInfo.environment
            let settings = try ServerSettings.read(file: place.config, dataDirectory: place.data, environment: environment)
            return (settings, try MasterKey.load(from: settings.masterKeyFile, credentials: environment["CREDENTIALS_DIRECTORY"]))
        } catch let mistakes as ServerSettings.Mistakes {
            for line in mistakes.lines { print(line) }
        } catch {
            say(error)
        }
        throw ExitCode(ExitStatus.badSettings)
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

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// A copy that is not there yet, synced, its owner's alone.
    static func copy(_ from: String, to: String) throws {
        let source = open(from, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw failure("\(from) cannot be read: \(String(cString: strerror(errno)))") }
        defer { close(source) }
        let target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw failure("\(to) cannot be made: \(String(cString: strerror(errno)))") }
        defer { close(target) }
        var block = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(source, &block, block.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("\(from) cannot be read: \(String(cString: strerror(errno)))") }
            if count == 0 { break }
            var written = 0
            while written < count {
                let done = block.withUnsafeBytes { write(target, $0.baseAddress.map { $0 + written }, count - written) }
                if done < 0 && errno == EINTR { continue }
                guard done > 0 else { throw failure("\(to) cannot be written: \(String(cString: strerror(errno)))", ExitStatus.diskFailed) }
                written += done
            }
        }
        guard fsync(target) == 0 else {
            throw failure("\(to) cannot be synced: \(String(cString: strerror(errno)))", ExitStatus.diskFailed)
        }
    }
}
