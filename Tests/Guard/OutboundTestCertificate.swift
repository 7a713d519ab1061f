/// A self-signed certificate of `hooks.test` and its key, made for these tests and trusted by nobody else. The key guards nothing.
enum OutboundTestCertificate {
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBlzCCAT6gAwIBAgIUcCEVZDjiCkNyr2sPe0/jiZ+0OEMwCgYIKoZIzj0EAwIw
        FTETMBEGA1UEAwwKaG9va3MudGVzdDAgFw0yNjExMjMwMDQ5NThaGA8yMTI2MTAz
        MDAwNDk1OFowFTETMBEGA1UEAwwKaG9va3MudGVzdDBZMBMGByqGSM49AgEGCCqG
        SM49AwEHA0IABA29y4cwCIeqf16tYIQwTnmD/EKEDANiegV76b0tcz8o8ehSLJb+
        t/YqQMC+9Y/qRgIi7owrmJhOkCcz8glCIDajajBoMB0GA1UdDgQWBBR/Fhi67dls
        OSdaLytvN3Qc4FwAUjAfBgNVHSMEGDAWgBR/Fhi67dlsOSdaLytvN3Qc4FwAUjAP
        BgNVHRMBAf8EBTADAQH/MBUGA1UdEQQOMAyCCmhvb2tzLnRlc3QwCgYIKoZIzj0E
        AwIDRwAwRAIgNDsbrI1qaBvkJkd5d/fsTCsgBsKpc85EKTD7Ab9ha6kCIBWL1lkr
        JfuOUmj8ULqVz5BcHtrCgBQrE9GLtDWMz8Z2
        -----END CERTIFICATE-----

        """
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJpC0CHwEyKEKLd/a
        tYwgUr4Y84UI1KeV7u9bXBakwE2hRANCAAQNvcuHMAiHqn9erWCEME55g/xChAwD
        YnoFe+m9LXM/KPHoUiyW/rf2KkDAvvWP6kYCIu6MK5iYTpAnM/IJQiA2
        -----END PRIVATE KEY-----

        """
}
