/** The default theme of VitePress with the project's colors and tables. */
import DefaultTheme from 'vitepress/theme-without-fonts'
import './style.css'

export default DefaultTheme
