import ArgumentParser
import Dispatch
import FoundationEssentials
import Glibc
import Guard
import Journal
import Logging
import MartletDesk
import MartletModel
import MartletNode
import SQL

extension ServeCommand {
    /// `--role desk`: the desk alone, until SIGTERM, or until the node that started it is gone.
    func serveDesk(_ settings: ServerSettings, _ master: MasterKey, _ logger: Logger) async throws {
        guard settings.desk.isEnabled else {
            throw failure("desk.enabled is false; set it, or run with --role node", ExitStatus.badSettings)
        }
        if supervised { endWithParent() }
        if let reason = DeskPriority.lower(to: settings.desk.niceness) {
            logger.warning("the desk does not stand behind the node; catching up may be felt by sending", metadata: ["reason": "\(reason)"])
        }
        if let obstacle = StoreRestoring(data: data).obstacle { throw failure(obstacle, ExitStatus.badSettings) }
        let lock = try holdDesk()
        // It listens before it has what it needs: who asks hears what is missing.
        let front = DeskFront(settings.desk, logger: logger)
        let port: Int
        do {
            port = try await front.start()
        } catch {
            throw failure("\(error)", ExitStatus.badSettings)
        }
        logger.notice(
            "desk listens", metadata: ["admin": "\(settings.desk.host):\(port)", "store": "\(settings.store.address.description)"])
        let keys = try await openKeys(settings, master, front, logger)
        let vault = CustomerVault(keys, try await openSubjects(settings, master, front, logger))
        let signals = Signals()
        var options = DeskRunner.Options(
            settings: settings.desk, address: settings.store.address, store: settings.store.options,
            now: { SystemClock().now().wall })
        options.store.readers = 4
        let work = DeskWork(settings, config: config, data: data, keys: keys, vault: vault, logger: logger)
        let runner: DeskRunner
        do {
            runner = try DeskRunner(
                options, front: front, rowKey: keys.rowKey, tokens: vault.tokens, signer: try AuditCheckpointSigner(master: master),
                parts: work.parts, logger: logger, nouns: work.nouns)
            _ = try await runner.start()
        } catch {
            throw failure("\(error)", ExitStatus.badSettings)
        }
        await signals.wait()
        logger.notice("desk stopping")
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(5)) {
            logger.warning("the desk's stop took too long; open calls to the store are given up")
            _exit(1)
        }
        await runner.stop()
        logger.notice("desk stopped")
        withExtendedLifetime(lock) {}
        Glibc.exit(0)
    }

    /// The node makes the keys, when it first starts.
    private func openKeys(_ settings: ServerSettings, _ master: MasterKey, _ front: DeskFront, _ logger: Logger) async throws -> KeyStore {
        var told = false
        defer { front.waits(for: nil) }
        while true {
            do throws(KeyStoreFault) {
                return try AtRest.days(settings, master)
            } catch {
                switch error {
                case .missing, .incomplete:
                    if !told { logger.warning("waiting for the node to make its keys", metadata: ["directory": "\(data)/keys"]) }
                    told = true
                    front.waits(for: .keys)
                case .wrongMasterKey, .damaged, .unreadable, .cannotWrite, .readOnly, .exhausted, .rewrapping, .exists, .otherInstallation,
                    .cipher:
                    throw failure(error.description, error.isDisk ? ExitStatus.diskFailed : ExitStatus.badSettings)
                }
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// The desk owns the customers' keys. While an import holds them it waits: that ends by itself. Where there are none, and the database does not say
    /// whether there were customers, it waits too.
    private func openSubjects(
        _ settings: ServerSettings, _ master: MasterKey, _ front: DeskFront, _ logger: Logger
    ) async throws -> SubjectKeys {
        let directory = settings.node.subjectKeyDirectory
        var told = ""
        defer { front.waits(for: nil) }
        func tell(_ text: String, _ wait: DeskWait, _ reason: String) {
            front.waits(for: wait)
            if told != text { logger.warning("\(text)", metadata: ["directory": "\(directory)", "reason": "\(reason)"]) }
            told = text
        }
        while true {
            do {
                return try await CustomerKeys.open(settings, master)
            } catch let fault as SubjectKeyFault {
                switch fault {
                case .inUse: tell("waiting for an import to end", .imports, "\(fault)")
                case .missing:
                    logger.critical(
                        "the keys of customers are not there, and there are customers", metadata: ["directory": "\(directory)"])
                    throw failure("\(fault). Or, step by step: \(CustomerKeysCheck.remedy)", ExitStatus.badSettings)
                default: throw failure(fault.description, ExitStatus.badSettings)
                }
            } catch {
                tell(
                    "waiting for the database: it knows whether keys of customers were lost, before new ones are made", .database,
                    "\(error)")
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// One desk a data directory.
    private func holdDesk() throws -> DirectoryLock {
        let directory = "\(data)/desk"
        // It may be here before the node.
        for path in [data, directory] {
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw failure("the directory \(path) cannot be made: \(String(cString: strerror(errno)))", ExitStatus.diskFailed)
            }
        }
        do throws(DirectoryLock.Fault) {
            return try DirectoryLock(directory)
        } catch {
            if case .inUse = error { throw failure(error.description, ExitStatus.dataInUse) }
            throw failure(error.description, ExitStatus.diskFailed)
        }
    }

    /// Standard input is a pipe that the node holds open as long as it lives.
    private func endWithParent() {
        DispatchQueue(label: "martlet.parent").async {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count > 0 || count < 0 && errno == EINTR { continue }
                break
            }
            kill(getpid(), SIGTERM)
        }
    }
}
