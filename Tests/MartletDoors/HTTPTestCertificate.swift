/// A self-signed certificate for localhost and its key, made for these tests and trusted by nobody else.
enum HTTPTestCertificate {
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBmzCCAUGgAwIBAgIUYCutEY6WQO+wjarFJNqPzHlCQgYwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE4NDczNFoYDzIxMjYxMDI5
        MTg0NzM0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAARYZHREX7Nn2MiS+HVFul3YFLQxhRY2HFKuv3HtOfqBbLDDpFUNi687
        EDafs0gvnR8GKXabjLMYOViBA0gtsHKHo28wbTAdBgNVHQ4EFgQUn8vDQSHmuep8
        tGV5Lbrhhufvq48wHwYDVR0jBBgwFoAUn8vDQSHmuep8tGV5Lbrhhufvq48wDwYD
        VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
        zj0EAwIDSAAwRQIgexEUxvVwciVLZsvG7lPV5FLIKFwDebHURCyWu9nM4+kCIQDQ
        +eYaIsn97PWfynaU+fUNbEvFZZSJlvlcqu4DXOED3A==
        -----END CERTIFICATE-----

        """
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLhmBladIPkn0qZmJ
        PKu2iqLvbwpU5NKaT77iZkDtoUWhRANCAARYZHREX7Nn2MiS+HVFul3YFLQxhRY2
        HFKuv3HtOfqBbLDDpFUNi687EDafs0gvnR8GKXabjLMYOViBA0gtsHKH
        -----END PRIVATE KEY-----

        """
}
