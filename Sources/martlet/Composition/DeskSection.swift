import Guard
import MartletDesk
import MartletModel
import MartletSettings

extension DeskSettings {
    init(_ values: SettingValues, _ dataDirectory: String, _ mistakes: inout [Mistake]) {
        typealias Own = DeskSettings
        let address = values.address(Own.listen)
        self.init(
            isEnabled: values.flag(Own.enabled), host: address.host, port: address.port, plaintextReason: values.filled(Own.plaintext),
            certificate: values.filled(Own.tlsCertificate), key: values.filled(Own.tlsKey), maximumBody: values.size(Own.body),
            maximumConnections: values.integer(Own.connections), timeLimit: .milliseconds(values.duration(Own.time)),
            checkpoints: values.filled(Own.checkpointFile), niceness: values.integer(Own.nice), erasures: values.filled(Own.erasureFile),
            needsApproval: values.flag(Own.approval))
        for fault in faults { mistakes.append(values.mistake(fault.setting, fault.reason, remedy: "correct it")) }
        // `check` knows no data directory.
        if let file = checkpoints, !dataDirectory.isEmpty, DataDirectory.holds(file, directory: dataDirectory) {
            mistakes.append(
                values.mistake(
                    Own.checkpointFile, "lies inside the data directory, where whoever rewrites the audit rewrites it too",
                    remedy: "name a file outside, best on another machine"))
        }
        if let file = erasures, !dataDirectory.isEmpty, DataDirectory.holds(file, directory: dataDirectory) {
            mistakes.append(
                values.mistake(
                    Own.erasureFile, "lies inside the data directory, with which it would be lost",
                    remedy: "name a file outside, best on another machine"))
        }
    }
}
