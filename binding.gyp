{
  "targets": [
    {
      "target_name": "cleanclip",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake_js",
          "message": "Compiling with cmake-js",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["<(module_root_dir)/build/Release/cleanclip.json"],
          "action": ["node", "scripts/install.js"]
        }
      ]
    }
  ]
}
