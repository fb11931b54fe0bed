"""Life under change: what happens to requests while servers, picker, gateway, controller or a node change."""
