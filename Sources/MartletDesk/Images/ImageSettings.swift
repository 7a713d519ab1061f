public import MartletModel

/// Where customers' devices find pictures. The values stand for the settings declared in `all`.
public struct ImageSettings: Equatable, Sendable {
    /// Public address under which `/i/` of the desk is reached, without a stroke at its end; nil: none was said.
    public var address: String?
    /// Further hosts of the bank, in small letters.
    public var hosts: [String]

    public init(address: String? = nil, hosts: [String] = []) {
        self.address = address
        self.hosts = hosts
    }

    /// Where pictures in texts may lie besides those that were uploaded; none, when the bank did not say.
    public var pictureHosts: Set<String> {
        let own = address.flatMap { ImagePath.host(of: $0) }.map { [$0] } ?? []
        return Set(own + hosts)
    }

    /// What does not hold, with the setting to correct.
    public var faults: [(setting: Setting, reason: String)] {
        var faults: [(Setting, String)] = []
        if let address, ImagePath.host(of: address) == nil || address.hasSuffix("/") || address.contains(where: { "?#@\\ ".contains($0) }) {
            faults.append((ImageSettings.publicAddress, "it is not https:// and a host, without a stroke at its end"))
        }
        for host in hosts where !ImageSettings.isHost(host) {
            faults.append((ImageSettings.bankHosts, "'\(host)' is not the name of a host"))
        }
        return faults
    }

    private static func isHost(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 }
    }

    public static let publicAddress = Setting(
        "images.address", .text(maximumBytes: 200), default: "", reload: .live,
        doc:
            "Address at which customers' devices reach the pictures that the desk serves below `/i/`, such as `https://img.bank.example`: the "
            + "bank's own host, which passes these requests on. Empty: there is none yet, and previews show the path alone.")
    public static let bankHosts = Setting(
        "images.hosts", .list(of: "host"), default: "[]", reload: .live,
        doc: "Further hosts of the bank, in small letters, where pictures of texts may lie. Others are refused by compiling. Empty, and "
            + "without `images.address`: only pictures that were uploaded are taken.")

    public static let all: [Setting] = [publicAddress, bankHosts]
}
