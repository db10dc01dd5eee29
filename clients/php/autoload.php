<?php

/**
 * Loads the classes of this folder, for programs without Composer.
 */
spl_autoload_register(function (string $class): void {
    if (strncmp($class, 'Peyk\\', 5) === 0) {
        $file = __DIR__ . '/src/' . strtr(substr($class, 5), '\\', '/') . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
