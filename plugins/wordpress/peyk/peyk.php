<?php
/**
 * Plugin Name:       Peyk SMS
 * Description:       Sends SMS through your own peyk service: order texts of WooCommerce, messages of other plugins, a checked mobile number for customers.
 * Version:           0.1.0
 * Requires at least: 5.8
 * Requires PHP:      7.4
 * License:           GPL-2.0-or-later
 * License URI:       https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:       peyk
 * Domain Path:       /languages
 *
 * This program is free software; you can redistribute it and/or modify it under the terms of the GNU
 * General Public License as published by the Free Software Foundation; either version 2 of the License,
 * or (at your option) any later version. It comes without any warranty.
 *
 * @package Peyk
 */

defined( 'ABSPATH' ) || exit;

define( 'PEYK_VERSION', '0.1.0' );
define( 'PEYK_FILE', __FILE__ );

foreach ( array( 'numbers', 'dates', 'settings', 'api', 'messages', 'orders', 'phone', 'admin' ) as $peyk_part ) {
	require_once __DIR__ . '/includes/class-peyk-' . $peyk_part . '.php';
}
unset( $peyk_part );
require_once __DIR__ . '/includes/functions.php';

register_activation_hook( __FILE__, array( 'Peyk_Messages', 'activate' ) );
register_deactivation_hook( __FILE__, array( 'Peyk_Messages', 'deactivate' ) );

add_action(
	'init',
	static function () {
		load_plugin_textdomain( 'peyk', false, dirname( plugin_basename( PEYK_FILE ) ) . '/languages' );
	}
);

Peyk_Messages::hook();
Peyk_Orders::hook();
Peyk_Phone::hook();
if ( is_admin() ) {
	Peyk_Admin::hook();
}
