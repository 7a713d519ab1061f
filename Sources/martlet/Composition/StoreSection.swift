import Guard
import MartletModel
import MartletSettings
import MartletStore
import SQL

/// Where the store is, read and checked with the other settings. The node itself never opens it.
struct StoreSection {
    var address: StoreAddress
    var options = SQLStore.Options()

    /// Until the file is read.
    init() { address = .sqlite(file: "") }

    /// - Parameter opens: whether whoever asks opens the store. The node does not: it holds no password of it, and needs none to start.
    init(_ values: SettingValues, _ dataDirectory: String, _ environment: [String: String], opens: Bool, _ mistakes: inout [Mistake]) {
        typealias Own = StoreSettings
        self.init()
        options.limit = .milliseconds(values.duration(Own.timeLimit))
        var password: String?
        if opens, let file = values.filled(Own.passwordFile) {
            do throws(PrivateFileFault) {
                password = try Secret.load(from: file, credentials: environment["CREDENTIALS_DIRECTORY"]).reveal()
            } catch {
                mistakes.append(
                    values.mistake(Own.passwordFile, error.description, remedy: "make the file readable by its owner alone"))
            }
        }
        do throws(SQLFault) {
            address = try StoreAddress(
                url: values.text(Own.url), directory: dataDirectory, password: password,
                tls: PostgresAddress.TLS(rawValue: values.text(Own.tls)) ?? .verifyFull, authority: values.filled(Own.authority))
        } catch {
            guard case .setting(let name, let problem) = error else {
                mistakes.append(values.mistake(Own.url, error.description, remedy: "correct it"))
                return
            }
            let setting = Own.all.first { $0.path == "store.\(name)" } ?? Own.url
            let remedy =
                name == "tls"
                ? "remove store.tls, and name the server's authority in store.tlsAuthority"
                : "write sqlite:history.db or postgresql://martlet@db.bank.example/martlet; a password goes into store.passwordFile"
            mistakes.append(values.mistake(setting, problem, remedy: remedy))
        }
    }
}
