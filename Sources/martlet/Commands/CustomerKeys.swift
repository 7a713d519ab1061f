import Guard
import MartletDesk
import MartletNode
import MartletStore
import SQL

/// The customers' keys, for who owns them: the desk, an import without one, a reconciliation.
enum CustomerKeys {
    /// Opens them. Where there are none they are made, if that hides no loss (`CustomerKeysCheck.mayBegin`).
    /// - Parameters:
    ///   - store: asked where there are no keys; nil: one is opened for the question.
    ///   - givesUp: makes them whoever was lost with them.
    /// - Throws: `SubjectKeyFault`, `.missing` when there are none and there were customers; `SQLFault` when there are none and the database
    ///   does not say.
    static func open(
        _ settings: ServerSettings, _ master: MasterKey, store: SQLStore? = nil, givesUp: Bool = false
    ) async throws -> SubjectKeys {
        let directory = settings.node.subjectKeyDirectory
        do throws(SubjectKeyFault) {
            return try SubjectKeys(directory: directory, master: master, access: .owner(create: givesUp))
        } catch {
            guard case .missing = error, try await mayBegin(settings, store) else { throw error }
            return try SubjectKeys(directory: directory, master: master, access: .owner(create: true))
        }
    }

    private static func mayBegin(_ settings: ServerSettings, _ store: SQLStore?) async throws -> Bool {
        let local = settings.node.localDirectory
        if let store { return try await CustomerKeysCheck.mayBegin(store, local: local) }
        let own = SQLStore(settings.store.address, statements: try StoreStatements.all(), options: settings.store.options)
        do {
            let answer = try await CustomerKeysCheck.mayBegin(own, local: local)
            await own.close()
            return answer
        } catch {
            await own.close()
            throw error
        }
    }

    static func status(_ fault: SubjectKeyFault) -> Int32 {
        if case .inUse = fault { return ExitStatus.dataInUse }
        return ExitStatus.badSettings
    }
}
