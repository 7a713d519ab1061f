import ArgumentParser
import Dispatch
import FoundationEssentials
import Glibc
import Guard
import Journal
import Logging
import MartletDesk
import MartletLocal
import MartletModel
import MartletNode
import MartletStore
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
        let keys = try await openKeys(master, front, logger)
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
                parts: work.parts,
                logger: logger, nouns: work.nouns)
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
    private func openKeys(_ master: MasterKey, _ front: DeskFront, _ logger: Logger) async throws -> KeyStore {
        var told = false
        defer { front.waits(for: nil) }
        while true {
            do throws(KeyStoreFault) {
                return try KeyStore(directory: "\(data)/keys", master: master, access: .reader)
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

    /// The desk owns the customers' keys. While an import holds them it waits: that ends by itself. Where there are none they are made, but only for a
    /// store that has no customers yet: new keys beside old customers would hide that theirs are lost.
    private func openSubjects(
        _ settings: ServerSettings, _ master: MasterKey, _ front: DeskFront, _ logger: Logger
    ) async throws -> SubjectKeys {
        let directory = settings.node.subjectKeyDirectory
        var told = ""
        defer { front.waits(for: nil) }
        func tell(_ text: String, _ wait: DeskWait) {
            front.waits(for: wait)
            if told != text { logger.warning("\(text)", metadata: ["directory": "\(directory)"]) }
            told = text
        }
        var mayCreate = false
        while true {
            do throws(SubjectKeyFault) {
                return try SubjectKeys(directory: directory, master: master, access: .owner(create: mayCreate))
            } catch {
                switch error {
                case .inUse: tell("waiting for an import to end", .imports)
                case .missing:
                    switch await hasCustomers(settings) {
                    case true?:
                        logger.critical(
                            "the keys of customers are not there, and there are customers", metadata: ["directory": "\(directory)"])
                        throw failure("\(error.description). Or, step by step: \(CustomerKeysCheck.remedy)", ExitStatus.badSettings)
                    case false?:
                        mayCreate = true
                        continue
                    case nil:
                        tell("waiting for the database: it knows whether keys of customers were lost, before new ones are made", .database)
                    }
                default: throw failure(error.description, ExitStatus.badSettings)
                }
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Nil: the database is away, and what the node was given says nothing.
    private func hasCustomers(_ settings: ServerSettings) async -> Bool? {
        if let versions = try? LocalCustomers.versions(in: settings.node.localDirectory), !versions.isEmpty { return true }
        guard let statements = try? StoreStatements.all() else { return nil }
        let store = SQLStore(settings.store.address, statements: statements, options: settings.store.options)
        let highest = try? await CustomerKeysCheck.highest(store)
        await store.close()
        return highest.map { $0 > 0 }
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
