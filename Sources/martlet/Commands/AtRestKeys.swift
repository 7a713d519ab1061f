import ArgumentParser
import FoundationEssentials
import Guard
import MartletNode

/// The one way to the master key and the keys under it, for the verbs, the node and the desk: the settings say where they are.
extension AtRest {
    /// The data keys of an installation, read beside the node that makes them.
    struct Keys {
        let master: MasterKey
        let days: KeyStore
    }

    /// - Throws: exit code 2, having named every mistake.
    static func settings(file: String, data: String) throws(ExitCode) -> ServerSettings {
        do {
            return try ServerSettings.read(
                file: file, dataDirectory: data, environment: ProcessInfo.processInfo.environment, opensStore: true)
        } catch let mistakes as ServerSettings.Mistakes {
            for line in mistakes.lines { print(line) }
        } catch {
            print("martlet: \(error)")
        }
        throw ExitCode(ExitStatus.badSettings)
    }

    /// Settings and master key of the verbs for backup and restore.
    /// - Throws: exit code 2, having said why.
    static func settings(_ place: StoreCommand.Place) throws(ExitCode) -> (ServerSettings, MasterKey) {
        let settings = try settings(file: place.config, data: place.data)
        return (settings, try masterOrExit(settings))
    }

    static func master(_ settings: ServerSettings) throws(MasterKeyFault) -> MasterKey {
        try master(file: settings.masterKeyFile, data: settings.node.dataDirectory)
    }

    /// A key file among the data is refused: a copy of the data would hold its key.
    static func master(file: String, data: String) throws(MasterKeyFault) -> MasterKey {
        try MasterKey.requireOutside(keyFile: file, dataDirectory: data)
        return try MasterKey.load(from: file, credentials: ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"])
    }

    /// - Throws: exit code 2, having said why.
    static func masterOrExit(_ settings: ServerSettings) throws(ExitCode) -> MasterKey {
        do throws(MasterKeyFault) {
            return try master(settings)
        } catch {
            throw failure("\(error)", ExitStatus.badSettings)
        }
    }

    static func days(_ settings: ServerSettings, _ master: MasterKey) throws(KeyStoreFault) -> KeyStore {
        try KeyStore(directory: settings.node.keyDirectory, master: master, access: .reader)
    }

    /// - Throws: exit code 2, having said why, and of a data directory that no node has worked on yet what is to be done.
    static func keys(_ settings: ServerSettings) throws(ExitCode) -> Keys {
        let master = try masterOrExit(settings)
        do throws(KeyStoreFault) {
            return Keys(master: master, days: try days(settings, master))
        } catch {
            if case .missing(let directory) = error, !exists(settings.node.journalDirectory) {
                throw failure("there are no keys in \(directory) yet: start the node once, it makes them", ExitStatus.badSettings)
            }
            throw failure("\(error)", ExitStatus.badSettings)
        }
    }

    /// Keys of customers for who only reads; nil: there are none yet.
    static func subjects(_ directory: String, _ master: MasterKey) throws(SubjectKeyFault) -> SubjectKeys? {
        do throws(SubjectKeyFault) {
            return try SubjectKeys(directory: directory, master: master, access: .reader)
        } catch {
            if case .missing = error { return nil }
            throw error
        }
    }
}
